//! What can be set. The comments are the reference: `rightful config sample` and docs/reference/configuration.md print them.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use rightful_web::server::BaseUrl;

use super::kinds::{
    Accent, Count, Host, Language, LogForm, LogLevel, MailAddress, MailSecurity, Port, Seconds, Secret, Selector,
};
use super::layers::{Layers, Start};

/// One section of the file.
pub(super) struct Section {
    pub(super) name: &'static str,
    /// Its doc comment: lines, each with a blank before it.
    pub(super) about: &'static str,
    pub(super) keys: &'static [Key],
}

/// One key of a section.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// What must stand there, in words.
    pub(super) wanted: &'static str,
    pub(super) start: Start,
    /// Whether the value is nobody else's business.
    pub(super) is_secret: bool,
}

/// Makes of one table the structs, how they are read, and the table's own text.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $Section:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $Kind:ty = $start:expr; )+
        }
    )+) => {
        $(
            $(#[doc = $section_doc])+
            #[derive(Clone, Debug)]
            pub(crate) struct $Section {
                $( $(#[doc = $doc])+ pub(crate) $key: $Kind, )+
            }

            impl $Section {
                fn read(layers: &Layers<'_>, faults: &mut Vec<String>) -> Option<Self> {
                    // All of them first, so that all faults are told.
                    $( let $key = layers.read::<$Kind>(stringify!($section), stringify!($key), &$start, faults); )+
                    Some(Self { $( $key: $key?, )+ })
                }
            }
        )+

        /// The whole configuration.
        #[derive(Clone, Debug)]
        pub(crate) struct Config {
            $( $(#[doc = $section_doc])+ pub(crate) $section: $Section, )+
        }

        impl Config {
            pub(super) fn read(layers: &Layers<'_>, faults: &mut Vec<String>) -> Option<Self> {
                $( let $section = $Section::read(layers, faults); )+
                Some(Self { $( $section: $section?, )+ })
            }
        }

        pub(super) const SECTIONS: &[Section] = &[
            $( Section {
                name: stringify!($section),
                about: concat!($( $section_doc, "\n" ),+),
                keys: &[
                    $( Key {
                        name: stringify!($key),
                        about: concat!($( $doc, "\n" ),+),
                        wanted: <$Kind as super::kinds::Kind>::WANTED,
                        start: $start,
                        is_secret: <$Kind as super::kinds::Kind>::IS_SECRET,
                    }, )+
                ],
            }, )+
        ];
    };
}

const fn is(text: &'static str) -> Start {
    Start::Is(text)
}

const fn like(example: &'static str) -> Start {
    Start::Absent { example }
}

settings! {
    /// The site, as owners see it.
    site: Site {
        /// Its name, in pages and messages.
        name: String = is("\"Rightful\"");
        /// Where owners find it: scheme, host and port. Requests for another host are refused. Needed as soon as
        /// `listen.address` is open to others; without it, only `localhost`, `127.0.0.1` and `[::1]` are answered.
        base_url: Option<BaseUrl> = like("\"https://id.example.com\"");
        /// A picture in place of the name: SVG or PNG, at most 256 KiB. It is read at the start.
        logo: Option<PathBuf> = like("\"/etc/rightful/logo.svg\"");
        /// The one colour of buttons and links. Where its contrast is too low, a darker or lighter one is used.
        accent: Accent = is("\"#2f5d50\"");
        /// The languages that are offered. Who asks for none of them gets the first.
        languages: Vec<Language> = is("[\"en\", \"de\"]");
        /// Whether anybody may make an account. Otherwise accounts are imported.
        sign_up: bool = is("false");
        /// Who is told of security holes, for `/.well-known/security.txt`.
        security_contact: Option<MailAddress> = like("\"security@example.com\"");
    }

    /// The listener. It speaks HTTP/1.1; a reverse proxy before it may speak HTTP/2.
    listen: Listen {
        /// Address and port.
        address: SocketAddr = is("\"127.0.0.1:8080\"");
        /// Proxies whose `X-Forwarded-For` is believed. Everybody else's is not read.
        trusted_proxies: Vec<IpNet> = is("[]");
        /// Certificate in PEM, with those between it and the authority's, for TLS here. It is read again when it changes.
        tls_certificate: Option<PathBuf> = like("\"/etc/rightful/certificate.pem\"");
        /// Its private key in PEM.
        tls_key: Option<PathBuf> = like("\"/etc/rightful/key.pem\"");
        /// Where numbers are shown at `/metrics` in the text format of Prometheus, in plain HTTP. Without it they are shown on
        /// `listen.address`, to clients on this machine.
        metrics_address: Option<SocketAddr> = like("\"127.0.0.1:9090\"");
        /// Until the head of a request is there.
        head_seconds: Seconds = is("10");
        /// Until the body of a request is there, and again until it is answered.
        request_seconds: Seconds = is("30");
        /// Between two requests of a connection.
        idle_seconds: Seconds = is("60");
        /// Until a client has taken what was written.
        write_seconds: Seconds = is("15");
        /// For requests under way when the server is told to stop.
        stop_seconds: Seconds = is("20");
        /// Connections at once. The system must allow some more open files than that.
        connections: Count = is("4096");
        /// Connections at once from one address range (IPv4 /24, IPv6 /64). Trusted proxies are not counted.
        connections_per_range: Count = is("512");
    }

    /// What is kept.
    data: Data {
        /// The folder of the site's data.
        folder: PathBuf = is("\"./rightful-data\"");
        /// The database. Without it, an SQLite file in the folder.
        database: Option<Secret> = like("\"postgres://rightful@db.example.com/rightful?sslmode=verify-full\"");
        /// A file whose one line is the database, in place of `database`.
        database_file: Option<PathBuf> = like("\"/run/secrets/rightful-database\"");
        /// The key file under which the data is sealed. Never inside the folder.
        key_file: PathBuf = is("\"./rightful.key\"");
    }

    /// Mail to owners. Without a host, messages lie in the data folder and are shown at `/dev/mailbox` on this machine.
    mail: Mail {
        /// The mail server.
        host: Option<Host> = like("\"smtp.example.com\"");
        /// Its port.
        port: Port = is("465");
        /// How it is spoken to. `plain` is for a server on this machine only.
        security: MailSecurity = is("\"tls\"");
        /// The name to sign in with.
        user: Option<String> = like("\"rightful\"");
        /// The password to sign in with.
        password: Option<Secret> = like("\"…\"");
        /// A file whose one line is the password, in place of `password`.
        password_file: Option<PathBuf> = like("\"/run/secrets/rightful-mail\"");
        /// The address that messages come from.
        from: Option<MailAddress> = like("\"accounts@example.com\"");
        /// The name beside it. Without it, the site's.
        from_name: Option<String> = like("\"Example\"");
        /// The domain of return paths, where bounces go. Without it, that of `from`.
        return_domain: Option<Host> = like("\"bounces.example.com\"");
        /// What your mail server or provider signs bounces with that it posts to `/api/v1/bounces`: 32 letters or more. Without
        /// it none are taken there, only by `rightful bounce`.
        bounce_secret: Option<Secret> = like("\"…\"");
        /// A file whose one line is that secret, in place of `bounce_secret`.
        bounce_secret_file: Option<PathBuf> = like("\"/run/secrets/rightful-bounces\"");
        /// The DKIM selector: the key's name in the DNS, as `rightful dkim init` prints it.
        dkim_selector: Option<Selector> = like("\"rightful\"");
        /// The private key that messages are signed with.
        dkim_key_file: Option<PathBuf> = like("\"/etc/rightful/dkim.pem\"");
    }

    /// What may be used up.
    limits: Limits {
        /// Cores to compute password hashes on. Without it, all.
        cores: Option<Count> = like("4");
        /// Tries to sign in from one address range at once, before it is one a second. Raise it for a school or an office that
        /// reaches you from one address.
        sign_ins_per_range: Count = is("60");
        /// Codes by mail in an hour, to everybody together; whoever asks for more is told to wait, and the log warns. It caps what a
        /// flood of requests can make you send. Codes that are asked for in a browser that knows the owner are not counted, nor are
        /// messages about what happened to an account.
        codes_per_hour: Count = is("5000");
    }

    /// The log, on standard output.
    log: Log {
        /// How much: `error`, `warn`, `info`, `debug`, `trace`, or a list such as `info,access=off`.
        level: LogLevel = is("\"info\"");
        /// `json`, one object a line, or `text`.
        format: LogForm = is("\"json\"");
    }

    /// Where an address is, for the owner's list of sign-ins.
    places: Places {
        /// A MaxMind file (city or country). None is shipped.
        file: Option<PathBuf> = like("\"/var/lib/GeoIP/GeoLite2-City.mmdb\"");
    }
}
