//! The command line. Scripts rely on it: commands and flags stay.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ieum_trust::access::Role;
use ieum_trust::authorization::client::Policy;

use crate::config::Flags;

mod account;
mod client;
mod control;
mod doctor;
mod export;
mod import;
mod log;
mod serve;
mod simulator;
mod synth;

/// What a command ends with; the message says what to do.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(
    name = "ieum",
    version,
    about = "Ieum (이음), an integrated health information hub",
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the hub: FHIR under /fhir, the portal under /
    Serve(Serve),
    /// Bring records in: bundles, NDJSON, directories, .gz and .zst
    Import(Import),
    /// Write all current records out as NDJSON, one file a kind
    Export(Export),
    /// Make synthetic Korea: unmistakably fake people, institutions and records
    Synth(Synth),
    /// Check settings, files and indexes, and say what to do
    Doctor(Doctor),
    /// Run a simulated relay of identity checks, for trying out: nobody is proven by it
    Simulator(Simulator),
    /// Manage accounts
    #[command(subcommand)]
    Account(Account),
    /// Manage apps that people may allow to act for them, and apps that act on their own
    #[command(subcommand)]
    Client(Client),
}

#[derive(Args)]
struct Serve {
    /// Data directory; made when there is none
    #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
    data: PathBuf,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Args)]
struct Import {
    /// Data directory to import into, while no hub runs on it
    #[arg(long, value_name = "DIR", required_unless_present = "server", conflicts_with = "server")]
    data: Option<PathBuf>,
    /// A running hub to import into: the address of its FHIR interface, such as http://127.0.0.1:8080/fhir
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Secret of an account on that hub
    #[arg(long, value_name = "SECRET", env = "IEUM_SECRET", hide_env_values = true, requires = "server")]
    secret: Option<String>,
    /// Where what is refused goes, with reasons; otherwise `rejects-….ndjson` in the data directory, or here
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Take files again of which an earlier run refused something, from the beginning: records that were changed since
    /// are set back to what the files say
    #[arg(long, conflicts_with = "server")]
    again: bool,
    /// Files and directories
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

#[derive(Args)]
struct Export {
    /// Data directory
    #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
    data: PathBuf,
    /// Directory to write to; made when there is none
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write .ndjson.zst instead of .ndjson
    #[arg(long)]
    compress: bool,
}

#[derive(Args)]
struct Synth {
    /// How many people
    #[arg(long, value_name = "N")]
    patients: u64,
    /// The same seed makes the same people
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Directory to write to; made when there is none
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Args)]
struct Doctor {
    /// Data directory
    #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
    data: PathBuf,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Args)]
struct Simulator {
    /// Port to listen on, on this machine alone
    #[arg(long, value_name = "PORT")]
    port: u16,
    /// File with the key that the hub knows it by, as in `[[identity_check]]`
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
}

#[derive(Subcommand)]
enum Account {
    /// Make an account and print its secret, once
    Add {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
        /// patient, clinician, operator or service
        #[arg(long, value_parser = role)]
        role: Role,
        /// How the person is greeted
        #[arg(long)]
        name: String,
        /// In the role of patient: id of their Patient record
        #[arg(long, value_name = "ID")]
        patient: Option<String>,
        /// Id of the Organization record in whose name it acts: an institution's EMR reaches what that made, and no more
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
    },
    /// Invite somebody to an account: prints the end of a link under which they choose how they sign in, once
    Invite {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
        /// patient, clinician, operator, manager or privacy
        #[arg(long, value_parser = role_of_people, required_unless_present = "account")]
        role: Option<Role>,
        /// How the person is greeted
        #[arg(long, required_unless_present = "account")]
        name: Option<String>,
        /// In the role of patient: id of their Patient record
        #[arg(long, value_name = "ID")]
        patient: Option<String>,
        /// Id of the Organization record in whose name they act; managers and privacy officers have one
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        /// A department they work in; may be given several times
        #[arg(long = "department", value_name = "NAME")]
        departments: Vec<String>,
        /// Instead of all these, an account that is there: whoever has it sets up anew how they sign in
        #[arg(long, value_name = "ID", conflicts_with_all = ["role", "name", "patient", "organization", "departments"])]
        account: Option<String>,
    },
    /// Keep a person out until they are unlocked; what they have open closes at once
    Lock {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
        /// Their log-in name
        #[arg(value_name = "LOGIN")]
        login: String,
    },
    /// Let a person in again who was locked
    Unlock {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
        /// Their log-in name
        #[arg(value_name = "LOGIN")]
        login: String,
    },
    /// Print the accounts: id, role, name
    List {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
    },
    /// Withdraw an account: its secret and its sessions let nobody in from then on
    Remove {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
        /// Its id, as `list` prints it
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Subcommand)]
enum Client {
    /// Register an app and print its client_id
    Add(Box<ClientAdd>),
    /// Print the apps: client_id, policy, name, who runs it, scopes
    List {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
    },
    /// Withdraw an app: its tokens are worth nothing from then on
    Remove {
        /// Data directory; a hub may be running on it
        #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
        data: PathBuf,
        /// Its client_id, as `list` prints it
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Args)]
struct ClientAdd {
    /// Data directory; a hub may be running on it
    #[arg(long, value_name = "DIR", env = "IEUM_DATA")]
    data: PathBuf,
    /// What people know it by
    #[arg(long)]
    name: String,
    /// Who runs it, as people know them
    #[arg(long)]
    organization: String,
    /// fapi2: with keys, pushed requests and tokens bound to a key; smart: SMART App Launch, also without keys
    #[arg(long, default_value = "fapi2", value_parser = policy)]
    policy: Policy,
    /// Scopes it may ask for, such as "launch/patient patient/*.rs"
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    /// Address to send people back to, letter by letter; may be given several times
    #[arg(long = "redirect", value_name = "URI")]
    redirects: Vec<String>,
    /// Address to be started at from a chart; goes with the scope `launch`
    #[arg(long, value_name = "URI")]
    launch: Option<String>,
    /// File with its public keys, a JWK set
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Instead of keys: the subject of its TLS certificate (RFC 4514), letter by letter
    #[arg(long, value_name = "NAME", group = "certificate")]
    certificate_subject: Option<String>,
    /// Instead of keys: a host among the alternative names of its TLS certificate
    #[arg(long, value_name = "HOST", group = "certificate")]
    certificate_host: Option<String>,
    /// Instead of keys: a URI among the alternative names of its TLS certificate
    #[arg(long, value_name = "URI", group = "certificate")]
    certificate_uri: Option<String>,
    /// Its TLS certificate is one of those in the JWK set (x5c), whoever made it
    #[arg(long, group = "certificate")]
    certificate_own: bool,
    /// Id of the account it acts as without a user; goes with `system/` scopes
    #[arg(long, value_name = "ID")]
    account: Option<String>,
}

fn policy(text: &str) -> std::result::Result<Policy, String> {
    Policy::from_name(text).ok_or_else(|| "one of fapi2, smart".to_owned())
}

fn role(text: &str) -> std::result::Result<Role, String> {
    let roles = [Role::Patient, Role::Clinician, Role::Operator, Role::Service];
    let role = Role::from_name(text).filter(|role| roles.contains(role));
    role.ok_or_else(|| "one of patient, clinician, operator, service".to_owned())
}

fn role_of_people(text: &str) -> std::result::Result<Role, String> {
    let roles = [Role::Patient, Role::Clinician, Role::Operator, Role::Manager, Role::Privacy];
    let role = Role::from_name(text).filter(|role| roles.contains(role));
    role.ok_or_else(|| "one of patient, clinician, operator, manager, privacy".to_owned())
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    // What is written, from the records to an export, is for this user alone.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    crate::serve::log_panics_without_content();
    let done = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Synth(arguments) => synth::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Simulator(arguments) => simulator::run(&arguments),
        Command::Account(account) => account::run(&account),
        Command::Client(client) => client::run(&client),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a line for the one who typed the command.
fn say(line: &str) {
    use std::io::Write;
    // Nobody is left to tell when standard output is gone.
    let _ = writeln!(std::io::stdout(), "{line}");
}
