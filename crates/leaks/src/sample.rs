//! Text of leaks with known truth: writes an identifier and its password the way leaks and stealers' logs do.
//!
//! Needs nothing but the standard library, so that it can be used wherever a made-up leak is wanted.

/// Seeded chance for made-up data (SplitMix64): the same seed gives the same leak. Not for secrets.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; `end` is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    /// One of a list that is not empty.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// A way in which leaks write records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `identifier:password`
    Colon,
    /// `identifier;password`
    Semicolon,
    /// `identifier,password`
    Comma,
    /// The two with a tab between.
    Tab,
    /// `identifier|password`
    Pipe,
    /// `address password`
    Blank,
    /// `"identifier","password"` without a header.
    Quoted,
    /// `address:name:password`
    NameBetween,
    /// `number:name:address:internet address:password`
    ForumRow,
    /// CSV with a header, quotes where needed.
    Csv,
    /// CSV with a header and semicolons, every field in quotes.
    QuotedCsv,
    /// Tab-separated with a header.
    Tsv,
    /// Chrome's export of passwords.
    ChromeExport,
    /// Firefox's export of passwords.
    FirefoxExport,
    /// One object of JSON a line.
    JsonLine,
    /// One object of JSON a line, nested, with every byte that may be escaped.
    NestedJson,
    /// One object of JSON over several lines.
    PrettyJson,
    /// `INSERT INTO` with column names and one row, MySQL's escapes.
    MySqlInsert,
    /// Rows of PostgreSQL's `COPY`.
    PostgresCopy,
    /// `url:login:password`
    UrlFirst,
    /// `url|login|password`
    UrlPipe,
    /// `url login:password`
    UrlBlank,
    /// `host/path:login:password` without a scheme.
    HostFirst,
    /// `login:password:url`
    UrlLast,
    /// `android://key@package/:login:password`
    Android,
    /// `URL: / Username: / Password: / Application:` and a ruled line.
    RedLine,
    /// `SOFT: / URL: / USER: / PASS:` and a blank line.
    Vidar,
    /// `browser: / profile: / url: / login: / password:` and a blank line.
    StealC,
    /// `Host: / Login: / Password:` without a gap between blocks.
    HostBlock,
    /// The login first, the URL last, dashes for colons.
    LoginFirst,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 30] = [
        Self::Colon,
        Self::Semicolon,
        Self::Comma,
        Self::Tab,
        Self::Pipe,
        Self::Blank,
        Self::Quoted,
        Self::NameBetween,
        Self::ForumRow,
        Self::Csv,
        Self::QuotedCsv,
        Self::Tsv,
        Self::ChromeExport,
        Self::FirefoxExport,
        Self::JsonLine,
        Self::NestedJson,
        Self::PrettyJson,
        Self::MySqlInsert,
        Self::PostgresCopy,
        Self::UrlFirst,
        Self::UrlPipe,
        Self::UrlBlank,
        Self::HostFirst,
        Self::UrlLast,
        Self::Android,
        Self::RedLine,
        Self::Vidar,
        Self::StealC,
        Self::HostBlock,
        Self::LoginFirst,
    ];

    /// The line that has to stand before the first record, if there is one.
    pub fn header(self) -> Option<&'static str> {
        Some(match self {
            Self::Csv => "id,username,E-Mail,password,created_at",
            Self::QuotedCsv => "\"user_id\";\"user_email\";\"passwd\";\"remarks\"",
            Self::Tsv => "Login\tPass\tcountry",
            Self::ChromeExport => "name,url,username,password,note",
            Self::FirefoxExport => {
                "\"url\",\"username\",\"password\",\"httpRealm\",\"formActionOrigin\",\"guid\",\"timeCreated\",\"timeLastUsed\",\"timePasswordChanged\""
            }
            Self::PostgresCopy => "COPY public.members (id, email, password, created_at) FROM stdin;",
            _ => return None,
        })
    }

    /// The line that ends the records, if there has to be one.
    pub fn footer(self) -> Option<&'static str> {
        (self == Self::PostgresCopy).then_some("\\.")
    }

    /// Whether a reader can tell from the text who and with which password, at least as one of several readings.
    ///
    /// Lines without quotations cannot hold line ends, and every format loses a carriage return before one.
    pub fn expresses(self, identifier: &[u8], password: &[u8]) -> bool {
        let has = |byte: u8| password.contains(&byte);
        if password.is_empty() || identifier.is_empty() || has(b'\r') {
            return false;
        }
        let address = identifier.contains(&b'@');
        match self {
            Self::Csv | Self::QuotedCsv | Self::ChromeExport | Self::FirefoxExport => true,
            Self::JsonLine | Self::NestedJson | Self::PrettyJson | Self::MySqlInsert | Self::PostgresCopy => true,
            _ if has(b'\n') => false,
            // The header does not say which bytes are quoted, and a tab inside is one column more.
            Self::Tsv => !has(b'\t'),
            // At the end it may be an empty column.
            Self::Tab => password.last() != Some(&b'\t'),
            Self::Blank => address && !b" -=/:;,|\t".contains(&password[0]),
            Self::NameBetween | Self::ForumRow => address,
            Self::UrlLast => !password.windows(3).any(|three| three == b"://"),
            _ => true,
        }
    }

    /// Whether its records say where the password was typed or come from a stealer.
    pub fn is_stealer(self) -> bool {
        matches!(
            self,
            Self::ChromeExport
                | Self::FirefoxExport
                | Self::UrlFirst
                | Self::UrlPipe
                | Self::UrlBlank
                | Self::HostFirst
                | Self::UrlLast
                | Self::Android
                | Self::RedLine
                | Self::Vidar
                | Self::StealC
                | Self::HostBlock
                | Self::LoginFirst
        )
    }
}

/// Writes one record, each of its lines with a line end. `url` is where the password was typed, with its scheme; formats
/// without a URL leave it out. What else a record holds is left to the dice.
pub fn write_record(format: Format, identifier: &[u8], password: &[u8], url: &str, dice: &mut Dice) -> Vec<u8> {
    let number = dice.below(900_000) + 1000;
    let number = number.to_string();
    let number = number.as_bytes();
    let url = url.as_bytes();
    let day = dice
        .pick(&["2019-03-04 11:22:33", "2021-12-01 07:00:59", "2023-06-30 23:59:00"])
        .as_bytes();
    let name = dice.pick(&["alba", "Boris77", "c.larsen", "dee_dee"]).as_bytes();
    let mut text = match format {
        Format::Colon => join(&[identifier, password], b":"),
        Format::Semicolon => join(&[identifier, password], b";"),
        Format::Comma => join(&[identifier, password], b","),
        Format::Tab => join(&[identifier, password], b"\t"),
        Format::Pipe => join(&[identifier, password], b"|"),
        Format::Blank => join(&[identifier, password], b" "),
        Format::Quoted => join(&[&quoted(identifier), &quoted(password)], b","),
        Format::NameBetween => join(&[identifier, name, password], b":"),
        Format::ForumRow => join(&[number, name, identifier, b"203.0.113.9", password], b":"),
        Format::Csv => {
            let fields = if identifier.contains(&b'@') {
                [name, identifier]
            } else {
                [identifier, b"someone@example.net"]
            };
            join(&[number, fields[0], fields[1], &if_needed(password, b','), day], b",")
        }
        Format::QuotedCsv => {
            let remarks = quoted(dice.pick(&["", "plain", "two\nlines", "a \"word\"; more"]).as_bytes());
            join(
                &[&quoted(number), &quoted(identifier), &quoted(password), &remarks],
                b";",
            )
        }
        Format::Tsv => join(
            &[
                identifier,
                &if_needed(password, b'\t'),
                dice.pick(&["DE", "BR", ""]).as_bytes(),
            ],
            b"\t",
        ),
        Format::ChromeExport => join(
            &[
                b"shop.example",
                &if_needed(url, b','),
                identifier,
                &if_needed(password, b','),
                b"",
            ],
            b",",
        ),
        Format::FirefoxExport => {
            let fields = [
                url,
                identifier,
                password,
                b"",
                url,
                b"{3d8b1a3e-0000-4000-8000-000000000000}",
                number,
                number,
                number,
            ];
            join(&fields.map(quoted).each_ref().map(Vec::as_slice), b",")
        }
        Format::JsonLine => {
            let role: &[u8] = if identifier.contains(&b'@') {
                b"email"
            } else {
                b"username"
            };
            [
                b"{\"_id\":",
                number,
                b",",
                &json(role),
                b":",
                &json(identifier),
                b",\"password\":",
                &json(password),
                b"}",
            ]
            .concat()
        }
        Format::NestedJson => [
            b"{ \"_index\": \"users\", \"_source\": { \"login\": ",
            &escaped_json(identifier)[..],
            b", \"profile\": {\"name\": \"x\"}, \"pass\": ",
            &escaped_json(password),
            b", \"tags\": [1, null, true] } }",
        ]
        .concat(),
        Format::PrettyJson => [
            b"{\n  \"id\": ",
            number,
            b",\n  \"user_name\": ",
            &json(identifier),
            b",\n  \"roles\": [\n    \"member\"\n  ],\n  \"passwd\": ",
            &json(password),
            b"\n},",
        ]
        .concat(),
        Format::MySqlInsert => [
            b"INSERT INTO `members` (`id`, `user_login`, `user_pass`, `seen`) VALUES (",
            number,
            b",",
            &mysql(identifier),
            b",",
            &mysql(password),
            b",NULL);",
        ]
        .concat(),
        Format::PostgresCopy => join(&[number, &copy(identifier), &copy(password), day], b"\t"),
        Format::UrlFirst => join(&[url, identifier, password], b":"),
        Format::UrlPipe => join(&[url, identifier, password], b"|"),
        Format::UrlBlank => [url, b" ", identifier, b":", password].concat(),
        Format::HostFirst => join(&[without_scheme(url), identifier, password], b":"),
        Format::UrlLast => join(&[identifier, password, url], b":"),
        Format::Android => join(
            &[b"android://Hq2_3kf-Zx0==@com.example.shop/", identifier, password],
            b":",
        ),
        Format::RedLine => labelled(&[
            ("URL: ", url),
            ("Username: ", identifier),
            ("Password: ", password),
            ("Application: ", b"Google_[Chrome]_Default"),
            ("===============", b""),
        ]),
        Format::Vidar => labelled(&[
            ("SOFT: ", b"Chrome (v96.0.4664.45-64) [Default]"),
            ("URL: ", url),
            ("USER: ", identifier),
            ("PASS: ", password),
            ("", b""),
        ]),
        Format::StealC => labelled(&[
            ("browser: ", b"Microsoft Edge"),
            ("profile: ", b"Default"),
            ("url: ", url),
            ("login: ", identifier),
            ("password: ", password),
            ("", b""),
        ]),
        Format::HostBlock => labelled(&[("Host:\t", url), ("Login:\t", identifier), ("Password:\t", password)]),
        Format::LoginFirst => labelled(&[("Login - ", identifier), ("Password - ", password), ("URL - ", url)]),
    };
    if text.last() != Some(&b'\n') {
        text.push(b'\n');
    }
    text
}

fn labelled(lines: &[(&str, &[u8])]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|(label, value)| [label.as_bytes(), value, b"\n"].concat())
        .collect()
}

fn join(fields: &[&[u8]], separator: &[u8]) -> Vec<u8> {
    fields.join(separator)
}

fn without_scheme(url: &[u8]) -> &[u8] {
    url.windows(3)
        .position(|three| three == b"://")
        .map_or(url, |at| &url[at + 3..])
}

fn quoted(value: &[u8]) -> Vec<u8> {
    let inner = value
        .iter()
        .flat_map(|&byte| if byte == b'"' { vec![b'"', b'"'] } else { vec![byte] });
    [b'"'].into_iter().chain(inner).chain([b'"']).collect()
}

/// In quotes where CSV requires them.
fn if_needed(value: &[u8], separator: u8) -> Vec<u8> {
    if value
        .iter()
        .any(|&byte| byte == separator || byte == b'"' || byte == b'\n')
    {
        quoted(value)
    } else {
        value.to_vec()
    }
}

/// A string of JSON with the escapes that it requires; other bytes as they are, UTF-8 or not.
fn json(value: &[u8]) -> Vec<u8> {
    let inner = value.iter().flat_map(|&byte| match byte {
        b'"' | b'\\' => vec![b'\\', byte],
        b'\n' => b"\\n".to_vec(),
        b'\t' => b"\\t".to_vec(),
        0..0x20 => format!("\\u{byte:04x}").into_bytes(),
        _ => vec![byte],
    });
    [b'"'].into_iter().chain(inner).chain([b'"']).collect()
}

/// The same with every letter escaped where the value is UTF-8.
fn escaped_json(value: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(value) {
        Ok(text) => format!(
            "\"{}\"",
            text.encode_utf16()
                .map(|unit| format!("\\u{unit:04X}"))
                .collect::<String>()
        )
        .into_bytes(),
        Err(_) => json(value),
    }
}

fn mysql(value: &[u8]) -> Vec<u8> {
    let inner = value.iter().flat_map(|&byte| match byte {
        b'\'' | b'"' | b'\\' => vec![b'\\', byte],
        0 => b"\\0".to_vec(),
        b'\n' => b"\\n".to_vec(),
        26 => b"\\Z".to_vec(),
        _ => vec![byte],
    });
    [b'\''].into_iter().chain(inner).chain([b'\'']).collect()
}

fn copy(value: &[u8]) -> Vec<u8> {
    let escape = |byte: u8| match byte {
        b'\\' => b"\\\\".to_vec(),
        b'\n' => b"\\n".to_vec(),
        b'\t' => b"\\t".to_vec(),
        _ => vec![byte],
    };
    value.iter().flat_map(|&byte| escape(byte)).collect()
}

/// An e-mail address, a username or a phone number, all of invented people.
pub fn invent_identifier(dice: &mut Dice) -> Vec<u8> {
    let first = dice.pick(&[
        "mara",
        "Ossian",
        "li.wei",
        "j-p",
        "o'neil",
        "zoë",
        "x",
        "anne+shop",
        "k_42",
    ]);
    let last = dice.pick(&["", "1987", ".novak", "_b", "Strand"]);
    match dice.below(4) {
        0 | 1 => {
            let host = dice.pick(&[
                "example.com",
                "mail.example.org",
                "Example.NET",
                "bücher.example",
                "post.example.co.uk",
            ]);
            format!("{first}{last}@{host}").into_bytes()
        }
        2 => format!("{first}{last}{}", dice.below(1000)).into_bytes(),
        _ => format!(
            "{}{}",
            dice.pick(&["+49151", "0044 20 ", "1555"]),
            1_000_000 + dice.below(8_999_999)
        )
        .into_bytes(),
    }
}

/// A URL with whatever URLs hold: ports, colons, queries.
pub fn invent_url(dice: &mut Dice) -> &'static str {
    dice.pick(&[
        "https://shop.example/login",
        "https://www.example.com/",
        "http://192.0.2.17:8080/admin/index.php?a=1&b=2",
        "https://example.org:8443/path/to/sign-in#top",
        "https://accounts.example.net/signin/v2;x=1?continue=https%3A%2F%2Fmail.example%2F",
        "http://forum.example/viewtopic.php?t=12:30",
        "https://example.com",
        "https://login.example/a,b,c",
    ])
}

/// A password that is hard to read out of a line: separators, quotes, blanks, other alphabets, what looks like an
/// address, a URL, a hash or a label, bytes that are no UTF-8.
pub fn invent_password(dice: &mut Dice) -> Vec<u8> {
    const PIECES: [&[u8]; 40] = [
        b"hunter2",
        b"Summer2019!",
        b"qwerty",
        b"123456",
        b"a",
        b"Tr0ub4dor&3",
        b":",
        b";",
        b",",
        b"|",
        b"\t",
        b"::",
        b" ",
        b"  ",
        b"\"",
        b"\"\"",
        b"'",
        b"`",
        b"\\",
        b"\\n",
        b"/",
        b"//",
        b"://",
        b"@",
        b"p@ss.word",
        b"me@example.com",
        b"{",
        b"}",
        b"[x]",
        b"=",
        b"- ",
        b"#",
        b"$2y$",
        b"%00",
        "пароль".as_bytes(),
        "e\u{301}".as_bytes(),
        "密码".as_bytes(),
        b"\xe9\xe8",
        b"\x00",
        b"NULL",
    ];
    let count = 1 + dice.below(5);
    let mut password: Vec<u8> = (0..count).flat_map(|_| dice.pick(&PIECES).to_vec()).collect();
    if dice.below(40) == 0 {
        password.insert(password.len() / 2, b'\n');
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_writes_the_same_leak() {
        let write = |seed| {
            let mut dice = Dice::new(seed);
            let identifier = invent_identifier(&mut dice);
            let password = invent_password(&mut dice);
            Format::ALL.map(|format| write_record(format, &identifier, &password, "https://a.example/", &mut dice))
        };
        assert_eq!(write(7), write(7));
        assert_ne!(write(7), write(8));
    }

    #[test]
    fn formats_are_written_as_they_are_met() {
        let write = |format| {
            let text = write_record(
                format,
                b"ann@example.com",
                b"a\"b",
                "https://a.example/",
                &mut Dice::new(1),
            );
            String::from_utf8(text).unwrap()
        };
        assert_eq!(write(Format::Colon), "ann@example.com:a\"b\n");
        assert_eq!(write(Format::Quoted), "\"ann@example.com\",\"a\"\"b\"\n");
        assert_eq!(write(Format::UrlFirst), "https://a.example/:ann@example.com:a\"b\n");
        assert_eq!(
            write(Format::HostBlock),
            "Host:\thttps://a.example/\nLogin:\tann@example.com\nPassword:\ta\"b\n"
        );
    }
}
