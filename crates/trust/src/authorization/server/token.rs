//! From a code, a refresh token or a key to an access token; and what becomes of tokens: introspection, revocation.

use serde_json::{Map, Value, json};

use super::authorize::asked;
use super::proven::Binding;
use super::{Pairs, Server, check_once, required, value};
use crate::access::{Access, Role};
use crate::account::{Account, digest, new_secret};
use crate::authorization::client::{CLIENT, Client, Policy};
use crate::authorization::dpop::{self, Sent};
use crate::authorization::fault::Fault;
use crate::authorization::grant::{self, By, CODE_SECONDS, GRANT, Kept};
use crate::authorization::keys::TOKEN_SECONDS;
use crate::authorization::pkce;
use crate::authorization::scopes::{Level, Scope, Scopes};

/// The type of an access token (RFC 9068, section 2.1).
pub(super) const ACCESS_TOKEN: &str = "at+jwt";

/// Of what an access token is made.
struct Made<'a> {
    account: &'a str,
    client: &'a str,
    scopes: &'a Scopes,
    /// The grant it stands on, and the patient it is about; an app without a user has neither.
    grant: Option<(&'a str, Option<&'a str>)>,
    bound: Option<&'a Binding>,
}

/// The thumbprint of the key, where it is a key.
fn key_of(bound: Option<&Binding>) -> Option<&str> {
    match bound {
        Some(Binding::Key(key)) => Some(key),
        Some(Binding::Certificate(_)) | None => None,
    }
}

impl Server {
    /// The token endpoint (RFC 6749, section 3.2).
    ///
    /// # Errors
    /// [`Fault`].
    pub fn token(&self, pairs: &Pairs, sent: Sent<'_>, now: i64) -> Result<Value, Fault> {
        check_once(pairs)?;
        let by = match required(pairs, "grant_type")? {
            "authorization_code" => Self::by_code,
            "refresh_token" => Self::by_refresh_token,
            "client_credentials" => Self::by_key_alone,
            _ => return Err(Fault::GrantType),
        };
        let (id, client) = self.authenticate(pairs, sent.certificate, now)?;
        let key = dpop::check(sent, None, self.replay_of(&client), now)?;
        // Whoever has a certificate and sends no proof binds tokens to it. Apps that cannot prove who they are do not: their
        // refresh tokens would have to be bound as well.
        let certificate = sent.certificate.filter(|_| !client.is_public());
        let bound = match (key, certificate) {
            (Some(key), _) => Some(Binding::Key(key)),
            (None, Some(chain)) => Some(Binding::Certificate(chain.thumbprint())),
            (None, None) if client.policy == Policy::Fapi2 => return Err(Fault::Unbound),
            (None, None) => None,
        };
        by(self, pairs, (&id, &client), bound.as_ref(), now)
    }

    fn by_code(
        &self,
        pairs: &Pairs,
        (id, client): (&str, &Client),
        bound: Option<&Binding>,
        now: i64,
    ) -> Result<Value, Fault> {
        let code = required(pairs, "code")?;
        let key = key_of(bound);
        let kept = grant::find(&self.door, By::Code, code)?.filter(|kept| kept.grant.client == id);
        let mut kept = kept.ok_or(Fault::Code)?;
        if kept.grant.code_used {
            return self.used_again(&kept, Fault::Code);
        }
        let is_over = now > kept.grant.made + CODE_SECONDS;
        if is_over || required(pairs, "redirect_uri")? != kept.grant.redirect_uri {
            return Err(Fault::Code);
        }
        if !pkce::verifies(&kept.grant.challenge, required(pairs, "code_verifier")?) {
            return Err(Fault::Verifier);
        }
        if kept.grant.key.as_deref().is_some_and(|bound| Some(bound) != key) {
            return Err(Fault::Dpop("the code is bound to another key"));
        }
        let account = self.account(&kept.grant.account)?.ok_or(Fault::Code)?;
        let access = account.access(&kept.grant.account);
        let refresh = match kept.grant.scopes.contains(&Scope::OfflineAccess) {
            true => Some(new_secret()?),
            false => None,
        };
        kept.grant.code_used = true;
        kept.grant.note_used(now);
        kept.grant.refresh_digest = refresh.as_deref().map(digest);
        // An app with keys proves who it is with each refresh; without, what it has is bound to its DPoP key.
        kept.grant.key = key.filter(|_| client.is_public()).map(ToOwned::to_owned);
        if !grant::update(&self.door, &kept)? {
            return self.used_again(&kept, Fault::Code);
        }
        let nonce = kept.grant.nonce.clone();
        let scopes = kept.grant.scopes.clone();
        let mut answer = self.answer((&kept, &access), &scopes, bound, refresh, now)?;
        if scopes.contains(&Scope::OpenId) {
            let id_token = self.id_token(&kept, &account, nonce, now)?;
            answer.insert("id_token".into(), id_token.into());
        }
        Ok(answer.into())
    }

    /// Somebody has what only the app should have: whose it is cannot be told, so nobody keeps it (RFC 6749, 4.1.2).
    fn used_again(&self, kept: &Kept, fault: Fault) -> Result<Value, Fault> {
        grant::revoke(&self.door, &kept.id)?;
        Err(fault)
    }

    fn by_refresh_token(
        &self,
        pairs: &Pairs,
        (id, client): (&str, &Client),
        bound: Option<&Binding>,
        now: i64,
    ) -> Result<Value, Fault> {
        let token = required(pairs, "refresh_token")?;
        let key = key_of(bound);
        let find =
            |by| Ok::<_, Fault>(grant::find(&self.door, by, token)?.filter(|kept| kept.grant.client == id));
        let Some(mut kept) = find(By::Refresh)? else {
            return match find(By::RefreshBefore)? {
                Some(kept) => self.used_again(&kept, Fault::Refresh),
                None => Err(Fault::Refresh),
            };
        };
        let account = self.account(&kept.grant.account)?.ok_or(Fault::Refresh)?;
        let is_bound_to_another = kept.grant.key.as_deref().is_some_and(|bound| Some(bound) != key);
        if now >= kept.grant.ends || is_bound_to_another {
            return Err(Fault::Refresh);
        }
        let scopes = match value(pairs, "scope") {
            Some(text) => Scopes::parse(text)?,
            None => kept.grant.scopes.clone(),
        };
        // What the app is registered for may be less than it was.
        if !kept.grant.scopes.cover(&scopes) || !client.scopes.cover(&scopes) {
            return Err(Fault::ScopeBeyond);
        }
        // A token with `patient/` scopes is held to one patient: without them it would reach more.
        if kept.grant.scopes.are_about_a_patient() && !scopes.are_about_a_patient() {
            return Err(Fault::ScopeMisfit("ask for at least one of the `patient/` scopes"));
        }
        // FAPI 2.0 wants no rotation (section 5.3.2.1): it makes networks that break off cost people their consent. It is
        // all there is where nothing else binds the token to the app.
        let mut next = None;
        let is_news = kept.grant.note_used(now);
        if client.is_public() && kept.grant.key.is_none() {
            let fresh = new_secret()?;
            kept.grant.refresh_before = kept.grant.refresh_digest.replace(digest(&fresh));
            if !grant::update(&self.door, &kept)? {
                return Err(Fault::Refresh);
            }
            next = Some(fresh);
        } else if is_news
            && !grant::update(&self.door, &kept)?
            && grant::read(&self.door, &kept.id)?.is_none()
        {
            // Somebody else may have noted it; but it may also have been taken back meanwhile.
            return Err(Fault::Refresh);
        }
        let access = account.access(&kept.grant.account);
        Ok(self.answer((&kept, &access), &scopes, bound, next, now)?.into())
    }

    fn by_key_alone(
        &self,
        pairs: &Pairs,
        (id, client): (&str, &Client),
        bound: Option<&Binding>,
        now: i64,
    ) -> Result<Value, Fault> {
        let account = client.account.as_deref().filter(|_| !client.is_public());
        let account = account.ok_or(Fault::NotRegistered("it has no account to act as without a user"))?;
        let scopes = asked(client, pairs)?;
        let is_system = |scope: &Scope| matches!(scope, Scope::Records(one) if one.level == Level::System);
        if !scopes.iter().all(is_system) {
            return Err(Fault::ScopeMisfit(
                "without a user (client_credentials) there are `system/` scopes only",
            ));
        }
        let known = self.account(account)?.ok_or(Fault::NotRegistered("its account was removed"))?;
        self.door.released(&known.access(account), "token", &format!("{}/{id}", CLIENT.name))?;
        let made = Made { account, client: id, scopes: &scopes, grant: None, bound };
        Ok(self.access_token(&made, now)?.into())
    }

    /// The answer of the token endpoint (RFC 6749, section 5.1; SMART, "Access token response").
    fn answer(
        &self,
        (kept, access): (&Kept, &Access),
        scopes: &Scopes,
        bound: Option<&Binding>,
        refresh: Option<String>,
        now: i64,
    ) -> Result<Map<String, Value>, Fault> {
        let Kept { id, grant, .. } = kept;
        self.door.released(access, "token", &format!("{}/{id}", GRANT.name))?;
        let made = Made {
            account: &grant.account,
            client: &grant.client,
            scopes,
            grant: Some((id, grant.patient.as_deref())),
            bound,
        };
        let mut answer = self.access_token(&made, now)?;
        if let Some(patient) = &grant.patient {
            answer.insert("patient".into(), patient.as_str().into());
        }
        if let Some(refresh) = refresh {
            answer.insert("refresh_token".into(), refresh.into());
        }
        Ok(answer)
    }

    fn access_token(&self, made: &Made<'_>, now: i64) -> Result<Map<String, Value>, Fault> {
        let scope = made.scopes.to_string();
        let mut claims = json!({
            "iss": self.issuer,
            "aud": self.fhir,
            "sub": made.account,
            "client_id": made.client,
            "scope": scope,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": &new_secret()?[..22],
        });
        if let Some((grant, patient)) = made.grant {
            claims["grant"] = grant.into();
            if let Some(patient) = patient {
                claims["patient"] = patient.into();
            }
        }
        if let Some(bound) = made.bound {
            claims["cnf"] = json!(bound);
        }
        let token = self.sign(ACCESS_TOKEN, &claims, now)?;
        let mut answer = Map::new();
        answer.insert("access_token".into(), token.into());
        answer.insert("token_type".into(), Binding::token_type(made.bound).into());
        answer.insert("expires_in".into(), TOKEN_SECONDS.into());
        answer.insert("scope".into(), scope.into());
        Ok(answer)
    }

    /// Who the user is (OpenID Connect Core, section 2; SMART, "Scopes for requesting identity data").
    fn id_token(
        &self,
        kept: &Kept,
        account: &Account,
        nonce: Option<String>,
        now: i64,
    ) -> Result<String, Fault> {
        let grant = &kept.grant;
        let mut claims = json!({
            "iss": self.issuer,
            "aud": grant.client,
            "sub": grant.account,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        // Of other roles no record is known that would be the user.
        if let (Role::Patient, Some(patient), true) =
            (account.role, &account.patient, grant.scopes.contains(&Scope::FhirUser))
        {
            claims["fhirUser"] = format!("{}/Patient/{patient}", self.fhir).into();
        }
        self.sign("JWT", &claims, now)
    }

    /// Introspection (RFC 7662): what a token is worth at this moment, told to the app it was given to.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn introspect(&self, pairs: &Pairs, sent: Sent<'_>, now: i64) -> Result<Value, Fault> {
        check_once(pairs)?;
        let (id, client) = self.authenticate(pairs, sent.certificate, now)?;
        if client.is_public() {
            return Err(Fault::ClientProof);
        }
        let token = required(pairs, "token")?;
        if let Ok(proven) = self.proven(token, now) {
            let claims = proven.claims;
            if claims.client_id != id {
                return Ok(json!({ "active": false }));
            }
            let mut answer = json!({
                "active": true,
                "iss": self.issuer,
                "aud": self.fhir,
                "sub": claims.sub,
                "client_id": claims.client_id,
                "scope": claims.scope.to_string(),
                "iat": claims.iat,
                "exp": claims.exp,
                "token_type": Binding::token_type(claims.cnf.as_ref()),
            });
            if let Some(bound) = claims.cnf {
                answer["cnf"] = json!(bound);
            }
            if let Some(patient) = claims.patient {
                answer["patient"] = patient.into();
            }
            return Ok(answer);
        }
        let kept = grant::find(&self.door, By::Refresh, token)?;
        let kept = kept.filter(|kept| kept.grant.client == id && now < kept.grant.ends);
        let Some(Kept { grant, .. }) = kept else { return Ok(json!({ "active": false })) };
        if self.account(&grant.account)?.is_none() {
            return Ok(json!({ "active": false }));
        }
        Ok(json!({
            "active": true,
            "iss": self.issuer,
            "sub": grant.account,
            "client_id": grant.client,
            "scope": grant.scopes.to_string(),
            "iat": grant.made,
            "exp": grant.ends,
        }))
    }

    /// Revocation (RFC 7009): whatever stands on the grant of this token ends.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn revoke(&self, pairs: &Pairs, sent: Sent<'_>, now: i64) -> Result<(), Fault> {
        check_once(pairs)?;
        let (id, _) = self.authenticate(pairs, sent.certificate, now)?;
        let token = required(pairs, "token")?;
        if let Ok(proven) = self.proven(token, now) {
            return match proven.claims.grant {
                _ if proven.claims.client_id != id => Ok(()),
                Some(grant) => Ok(grant::revoke(&self.door, &grant)?),
                None => Err(Fault::TokenType),
            };
        }
        for by in [By::Refresh, By::RefreshBefore] {
            let kept = grant::find(&self.door, by, token)?;
            if let Some(kept) = kept.filter(|kept| kept.grant.client == id) {
                return Ok(grant::revoke(&self.door, &kept.id)?);
            }
        }
        // A token that is none is revoked already (RFC 7009, section 2.2).
        Ok(())
    }
}
