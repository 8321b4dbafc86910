//! What the audit log calls things, in words; and who its actors are.

use std::collections::HashMap;

use ieum_store::engine::AuditEntry;
use ieum_trust::access::Role;
use ieum_trust::account::{ACCOUNT, Account};
use ieum_ui::Lang;
use maud::{Markup, html};

use crate::portal::call::{Call, Refusal};
use crate::portal::frame::role_word;

/// The names of the accounts among some actors.
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// Reads them. A patient's account is called just that: its name is the patient's.
    pub(super) fn of<'e>(
        call: &Call<'_>,
        entries: impl Iterator<Item = &'e AuditEntry>,
    ) -> Result<Self, Refusal> {
        let mut actors: Vec<&str> = entries.map(|entry| entry.actor.as_str()).collect();
        actors.sort_unstable();
        actors.dedup();
        let view = call.view()?;
        let mut names = HashMap::new();
        for actor in actors {
            let record = view.read(ACCOUNT.name, actor)?.filter(|record| !record.is_deleted());
            let account =
                record.and_then(|record| serde_json::from_slice::<Account>(&record.plain_json()).ok());
            let Some(account) = account else { continue };
            let name = match account.role {
                Role::Patient => call.say("환자의 계정", "a patient's account").to_owned(),
                _ => account.name,
            };
            names.insert(actor.to_owned(), name);
        }
        Ok(Self(names))
    }

    /// Who did it: the account's name with its id, and the role.
    pub(super) fn who(&self, call: &Call<'_>, entry: &AuditEntry) -> Markup {
        let role =
            Role::from_name(&entry.role).map_or(entry.role.as_str(), |role| role_word(role, call.lang));
        let role = if role == "person" { call.say("사람", "Person") } else { role };
        html! {
            @if let Some(name) = self.0.get(&entry.actor) { (name) " " }
            code .i-small { (entry.actor) } " " span .i-soft .i-small { (role) }
        }
    }
}

/// Why somebody acted.
pub(super) fn purpose_word(code: &str, lang: Lang) -> &str {
    match code {
        "TREAT" => lang.pick("진료", "Treatment"),
        "PATRQT" => lang.pick("본인 요청", "Patient's request"),
        "HSYSADMIN" => lang.pick("시스템 운영", "System administration"),
        "HOPERAT" => lang.pick("기관 운영", "Health care operations"),
        "HCOMPL" => lang.pick("준법 점검", "Compliance"),
        "HTEST" => lang.pick("시험", "Test"),
        _ => code,
    }
}

/// What was done, with the code by which it is found in the log.
pub(super) fn action_word(code: &str, lang: Lang) -> Markup {
    let word = known(code).map(|(ko, en)| lang.pick(ko, en));
    html! { @if let Some(word) = word { (word) " " } code .i-small .i-soft { (code) } }
}

/// A part of the record, by the second half of the action's name.
const PARTS: &[(&str, &str, &str)] = &[
    ("apps", "앱 목록", "Apps listed"),
    ("sharing", "기록을 볼 수 있는 곳", "Who sees the record"),
    ("sharing-change", "기록을 볼 수 있는 곳 바꾸기", "Who sees the record changed"),
    ("summary", "요약 열람", "Summary read"),
    ("visits", "진료 이력 열람", "Visits read"),
    ("problems", "진단 열람", "Problems read"),
    ("medicines", "약 열람", "Medicines read"),
    ("results", "검사 열람", "Results read"),
    ("result", "한 검사 열람", "One test read"),
    ("vitals", "활력징후 열람", "Vital signs read"),
    ("immunisations", "예방접종 열람", "Vaccinations read"),
    ("documents", "문서 목록 열람", "Documents listed"),
    ("document", "문서 열람", "Document read"),
    ("visit", "내원 코드와 허락", "Codes of presence and grants"),
    ("representatives", "내 대리인 보기", "Own representatives"),
    ("transfers", "내 전송 요구 목록", "Own requests to send"),
    ("transfer", "내 전송 요구 보기", "Own request to send"),
];

const ACTIONS: &[(&str, &str, &str)] = &[
    ("openapi", "연동 규격", "OpenAPI document"),
    ("code-make", "코드 만들기", "Code made"),
    ("consent", "공개 설정 바꾸기", "Who sees the record changed"),
    ("account-claim", "본인확인으로 계정 받기", "Account claimed by an identity check"),
    ("provider-link", "다른 로그인 연결", "Log-in elsewhere linked"),
    ("provider-unlink", "다른 로그인 연결 끊기", "Log-in elsewhere unlinked"),
    ("consent-withdraw", "동의 철회", "Consent withdrawn"),
    ("presence", "내원 확인", "Presence confirmed"),
    ("presence-code", "내원 코드 만들기", "Code of presence made"),
    ("relation-grant", "기관에 며칠 허락", "Institution let see for some days"),
    ("relation-end", "허락 끝내기", "Grant ended"),
    ("representing", "대리하는 사람 목록", "Whom somebody represents"),
    ("represent", "대리 시작", "Began to act for somebody"),
    ("represent-stop", "대리 멈춤", "Ceased to act for somebody"),
    ("representations", "대리 신청 목록", "Requests to represent"),
    ("representation-invite", "대리 신청 코드 만들기", "Code to ask for a representation made"),
    ("representation-ask", "대리 신청", "Representation asked for"),
    ("representation-check", "대리 서류 확인", "Papers of a representative looked at"),
    ("representation-change", "대리 바꾸기", "Representation changed"),
    ("representation-grant", "대리 승인", "Representation granted"),
    ("representation-refuse", "대리 거절", "Representation refused"),
    ("representation-revoke", "대리 거두기", "Representation taken back"),
    ("representation-block", "대리 차단", "Representative blocked"),
    ("representation-unblock", "대리 차단 풀기", "Block of a representative lifted"),
    ("representation-end", "대리 그만두기", "Representation laid down"),
    ("transfers", "전송 요구 목록", "Requests to send"),
    ("transfer-change", "전송 요구 바꾸기", "Request to send changed"),
    ("transfer-answer", "전송 요구에 답함", "Request to send answered"),
    ("transfer-receive", "전송 요구", "Sending asked for"),
    ("authorize", "앱에 허용할지 답함", "Answer to an app"),
    ("authorize-find", "앱을 위한 환자 찾기", "Patients found for an app"),
    ("launch", "기록에서 앱 열기", "App opened from a record"),
    ("grant", "앱에 허용", "App allowed"),
    ("grant-sweep", "끝난 앱 허용 정리", "Ended leaves of apps removed"),
    ("own-apps", "연결된 앱", "Own connected apps"),
    ("app-end", "앱 연결 끊기", "App disconnected"),
    ("clients", "기관의 앱과 시스템", "Apps of an institution"),
    ("client-register", "기관의 앱 등록", "App of an institution registered"),
    ("client-keys", "앱의 키 바꾸기", "Keys of an app changed"),
    ("client-end", "앱 등록 끝내기", "Registration of an app ended"),
    ("register", "앱 스스로 등록", "App registered by itself"),
    ("oauth-register", "앱 스스로 등록 요청", "Registration asked for by an app"),
    ("grant-revoke", "앱 허용 거두기", "Leave of an app withdrawn"),
    ("client", "앱 등록", "App registered"),
    ("token", "앱의 토큰", "Token of an app"),
    ("oauth-metadata", "인증 서버 안내", "Metadata of the authorization server"),
    ("oauth-keys", "인증 서버의 공개 키", "Keys of the authorization server"),
    ("oauth-par", "앱의 요청 미리 보내기", "Request of an app pushed"),
    ("oauth-token", "앱의 토큰 요청", "Token asked for by an app"),
    ("oauth-introspect", "앱의 토큰 확인", "Token looked at by an app"),
    ("oauth-revoke", "앱의 토큰 거두기", "Token withdrawn by an app"),
    ("smart-configuration", "앱을 위한 명세", "Configuration for apps"),
    ("law", "법령 표", "Law tables"),
    ("break-glass", "긴급 열람", "Glass broken"),
    ("reviews", "긴급 열람 검토 목록", "Reviews of broken glass"),
    ("review-decide", "긴급 열람 판단", "Review decided"),
    ("first-entry", "초대로 처음 들어오기", "First entry"),
    ("account-invite", "계정으로 초대", "Invitation to an account"),
    ("account-accept", "초대받은 계정 받기", "Account taken over"),
    ("account-choose", "계정 고르기", "Account chosen"),
    ("confirm", "본인 확인", "Confirmed who it is"),
    ("my-login", "내 로그인", "Own log-in"),
    ("passkey-add", "패스키 더하기", "Passkey added"),
    ("passkey-remove", "패스키 지우기", "Passkey removed"),
    ("password-change", "비밀번호 바꾸기", "Password changed"),
    ("app-change", "인증 앱 바꾸기", "Authenticator app changed"),
    ("recovery-make", "복구 코드 만들기", "Recovery codes made"),
    ("device-end", "한 기기에서 로그아웃", "Signed out of one device"),
    ("devices-end", "다른 모든 기기에서 로그아웃", "Signed out everywhere"),
    ("staff", "기관 직원", "Staff"),
    ("staff-invite", "직원 초대", "Staff invited"),
    ("staff-change", "직원의 역할·부서 바꾸기", "Role or departments changed"),
    ("staff-end", "직원 계정 끝내기", "Account of staff ended"),
    ("person-lock", "사람 잠그기", "Person locked"),
    ("person-unlock", "사람 풀기", "Person unlocked"),
    ("search-compartment", "한 사람·방문 안에서 검색", "Search within a compartment"),
    ("search-type", "종류별 검색", "Search of a kind"),
    ("job-file", "작업 결과 내려받기", "Result of a job sent"),
    ("job-start", "작업 시작", "Job begun"),
    ("job-save", "작업 진행 기록", "Progress of a job"),
    ("job-interrupt", "작업 중단", "Job interrupted"),
    ("job-remove", "작업 결과 삭제", "Results of a job removed"),
    ("job-end", "작업 끝", "Job ended"),
    ("operator-jobs", "작업", "Jobs"),
    ("operator-job-cancel", "작업 취소", "Job cancelled"),
    ("operator-subscriptions", "구독 목록", "Subscriptions"),
    ("operator-subscription-off", "구독 끄기", "Subscription turned off"),
    ("subscription-status", "구독 상태 확인", "Subscription looked at"),
    ("subscription-events", "구독 사건 다시 받기", "Events asked for"),
    ("subscription-token", "구독 연결 표", "Token for a subscription"),
    ("subscription-active", "구독 켜짐", "Subscription active"),
    ("subscription-error", "구독 오류", "Subscription in error"),
    ("subscription-off", "구독 꺼짐", "Subscription off"),
    ("subscription-sweep", "지난 사건 정리", "Old events removed"),
    ("events-made", "구독 사건 기록", "Events made"),
    ("notification", "알림 보냄", "Notification sent"),
    ("websocket", "웹소켓 연결", "WebSocket opened"),
    ("start", "시작 화면", "Start page"),
    ("sign-in", "로그인", "Signing in"),
    ("sign-out", "로그아웃", "Signing out"),
    ("enter", "역할로 들어가기", "Entering a role"),
    ("patients-find", "환자 찾기", "Patients found"),
    ("operator-overview", "운영 현황", "Operations"),
    ("operator-feed", "변경 흐름", "Change feed"),
    ("operator-audit", "감사 기록", "Audit log"),
    ("operator-statements", "느린 질의", "Slow statements"),
    ("asset", "화면 부속", "Asset"),
    ("healthz", "살아 있음 확인", "Health"),
    ("readyz", "준비 확인", "Readiness"),
    ("metrics", "측정값", "Metrics"),
    ("import", "가져오기", "Import"),
    ("account", "계정 만들기", "Account made"),
    ("export", "내보내기", "Export"),
    ("capabilities", "기능 명세", "Capabilities"),
    ("search-system", "전체 검색", "Search of everything"),
    ("bundle", "묶음 요청", "Bundle"),
    ("transaction", "한꺼번에 쓰기", "Transaction"),
    ("batch", "묶음 처리", "Batch"),
    ("history-system", "전체 변경 이력", "History of everything"),
    ("history-type", "종류별 변경 이력", "History of a kind"),
    ("history-instance", "기록의 변경 이력", "History of a record"),
    ("search", "검색", "Search"),
    ("create", "만들기", "Create"),
    ("update", "고치기", "Update"),
    ("delete", "지우기", "Delete"),
    ("patch", "일부 고치기", "Patch"),
    ("job-status", "작업 확인", "Job looked at"),
    ("job-cancel", "작업 멈추기", "Job stopped"),
    ("read", "읽기", "Read"),
    ("vread", "옛 판 읽기", "Version read"),
    ("everything", "모든 기록 내려받기", "Whole record read"),
];

fn known(code: &str) -> Option<(&'static str, &'static str)> {
    let part = code.strip_prefix("record-").or_else(|| code.strip_prefix("own-"));
    let of_part = part.and_then(|part| PARTS.iter().find(|(known, _, _)| *known == part));
    let found = of_part.or_else(|| ACTIONS.iter().find(|(known, _, _)| *known == code))?;
    Some((found.1, found.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_a_route_has_words() {
        let pages = crate::portal::routes::ROUTES.iter().map(|route| route.action);
        let fhir = crate::routes::all().map(|route| route.action);
        let apps = crate::authorization::routes::ROUTES.iter().map(|route| route.action);
        for action in pages.chain(fhir).chain(apps) {
            assert!(known(action).is_some(), "{action}");
        }
    }

    #[test]
    fn every_purpose_has_words() {
        for role in Role::ALL {
            let purpose = role.purpose().code();
            assert_ne!(purpose_word(purpose, Lang::Ko), purpose);
        }
    }
}
