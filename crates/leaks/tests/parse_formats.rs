//! The formats one by one: which record a line gives, how it is read first, and in which bin every other line is.

mod parse_support;

use parse_support::{OwnedReading, OwnedRecord, read};
use rightful_leaks::parse::{Bin, MalformedReason};

const BLANK: Bin = Bin::Blank;
const HEADER: Bin = Bin::Header;
const MORE: Bin = Bin::Continuation;
const NO_SEPARATOR: Bin = Bin::Malformed(MalformedReason::NoSeparator);
const NO_IDENTIFIER: Bin = Bin::Malformed(MalformedReason::NoIdentifier);
const NO_SECRET: Bin = Bin::Malformed(MalformedReason::NoSecret);
const INCOMPLETE: Bin = Bin::Malformed(MalformedReason::IncompleteRecord);
const COMMENT: Bin = Bin::Malformed(MalformedReason::Comment);

/// A record that has to be found.
struct Expected {
    line: u64,
    first: OwnedReading,
    also: Vec<(&'static str, &'static str)>,
}

/// A record of another site's table at a line: the likeliest reading's names (with ` + ` between) and secret.
fn dump(line: u64, names: &str, secret: &str) -> Expected {
    let names = names.split(" + ").map(str::to_owned).collect();
    let first = OwnedReading {
        names,
        secret: secret.as_bytes().to_vec(),
        salt: None,
        stealer: false,
    };
    Expected {
        line,
        first,
        also: Vec::new(),
    }
}

/// The same of a stealer's log.
fn stealer(line: u64, names: &str, secret: &str) -> Expected {
    let mut expected = dump(line, names, secret);
    expected.first.stealer = true;
    expected
}

impl Expected {
    fn salt(mut self, salt: &str) -> Self {
        self.first.salt = Some(salt.as_bytes().to_vec());
        self
    }

    /// Another reading that has to be there: a name and a secret.
    fn or(mut self, name: &'static str, secret: &'static str) -> Self {
        self.also.push((name, secret));
        self
    }

    fn assert_is(&self, record: &OwnedRecord) {
        assert_eq!(record.line, self.line);
        assert_eq!(
            record.readings[0], self.first,
            "likeliest reading in line {}: {:?}",
            self.line, record.readings
        );
        for (name, secret) in &self.also {
            let found = record
                .readings
                .iter()
                .any(|r| r.names.iter().any(|n| n == name) && r.secret == secret.as_bytes());
            assert!(
                found,
                "{name} with {secret} in line {}: {:?}",
                self.line, record.readings
            );
        }
    }
}

fn check_bytes(text: &[u8], records: &[Expected], bins: &[(Bin, u64)]) {
    let kept = read(text);
    assert_eq!(
        kept.records.iter().map(|record| record.line).collect::<Vec<_>>(),
        records.iter().map(|record| record.line).collect::<Vec<_>>(),
        "lines with records"
    );
    for (expected, record) in records.iter().zip(&kept.records) {
        expected.assert_is(record);
    }
    let mut counts = [0; Bin::ALL.len()];
    for (bin, lines) in bins {
        counts[bin.index()] = *lines;
    }
    assert_eq!(kept.bins, counts, "bins of {}", String::from_utf8_lossy(text));
}

fn check(text: &str, records: &[Expected], bins: &[(Bin, u64)]) {
    check_bytes(text.as_bytes(), records, bins);
}

/// A single line that is malformed.
fn check_malformed(line: &str, bin: Bin) {
    check(line, &[], &[(bin, 1)]);
}

#[test]
fn pairs() {
    check(
        "ann@example.com:hunter2\nbob;s3cret\n+49 151 1234567,0000\ncarla\tx y\ndora@example.org|pw\neve@example.org pw\n",
        &[
            dump(1, "ann@example.com", "hunter2"),
            dump(2, "bob", "s3cret"),
            dump(3, "+49 151 1234567", "0000"),
            dump(4, "carla", "x y"),
            dump(5, "dora@example.org", "pw"),
            dump(6, "eve@example.org", "pw"),
        ],
        &[],
    );
}

#[test]
fn separators_in_the_password() {
    check(
        "ann@example.com:a:b;c\nbob:a:b\ncarla;a:b,c\ndora@example.com a:b\neve@example.com:::\nfay@example.com:a@b.example\n",
        &[
            dump(1, "ann@example.com", "a:b;c"),
            dump(2, "bob", "a:b"),
            dump(3, "carla", "a:b,c"),
            dump(4, "dora@example.com", "a:b"),
            dump(5, "eve@example.com", "::"),
            dump(6, "fay@example.com", "a@b.example"),
        ],
        &[],
    );
}

#[test]
fn blanks_are_the_passwords_but_not_the_identifiers() {
    check(
        "  ann@example.com : hunter2 \n\"bob\":' x '\r\n",
        &[
            dump(1, "ann@example.com", " hunter2 "),
            dump(2, "bob", "' x '").or("bob", " x "),
        ],
        &[],
    );
}

#[test]
fn bytes_that_are_no_text() {
    let kept = read(b"ann@example.com:caf\xe9\0\x80\nb\xfcb:x\n\xff\xfe;\xff\n");
    let secrets: Vec<&[u8]> = kept
        .records
        .iter()
        .map(|record| &record.readings[0].secret[..])
        .collect();
    assert_eq!(secrets, [&b"caf\xe9\0\x80"[..], b"x", b"\xff"]);
}

#[test]
fn lines_without_a_record() {
    check_malformed("ann@example.com", NO_SEPARATOR);
    check_malformed("just some words", NO_SEPARATOR);
    check_malformed("https://shop.example/login", NO_SEPARATOR);
    check_malformed("ann@example.com:", NO_SECRET);
    check_malformed("bob;", NO_SECRET);
    check_malformed("https://shop.example/:bob:", NO_SECRET);
    check_malformed(":hunter2", NO_IDENTIFIER);
    check_malformed("  \t:hunter2", NO_IDENTIFIER);
    check_malformed("# a list", COMMENT);
    check_malformed("-- MySQL dump 10.13", COMMENT);
    check_malformed(" \t ", BLANK);
    check_malformed("\r", BLANK);
    check_malformed("==== ====", BLANK);
    check_malformed("\u{feff}", BLANK);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_identifier() {
    check("\u{feff}ann@example.com:x\n", &[dump(1, "ann@example.com", "x")], &[]);
}

#[test]
fn fields_around_an_address() {
    check(
        "17:bob:bob@example.com:203.0.113.9:5f4dcc3b5aa765d61d8327deb882cf99:aB3\nann@example.com:Ann:hunter2\n\
         hunter2:ann@example.com\nbob:hunter2:bob@example.com\n\
         ann@example.com:hunter2 | Country = DE | Plan = Gold\n",
        &[
            dump(1, "bob@example.com + bob", "5f4dcc3b5aa765d61d8327deb882cf99").salt("aB3"),
            dump(2, "ann@example.com", "Ann:hunter2")
                .or("ann@example.com", "hunter2")
                .or("Ann", "hunter2"),
            dump(3, "hunter2", "ann@example.com").or("ann@example.com", "hunter2"),
            dump(4, "bob@example.com + bob", "hunter2"),
            dump(5, "ann@example.com", "hunter2 | Country = DE | Plan = Gold").or("ann@example.com", "hunter2"),
        ],
        &[],
    );
}

#[test]
fn hashes() {
    let md5 = "5f4dcc3b5aa765d61d8327deb882cf99";
    let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
    let phc = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b7dWRWJTmaaJObG";
    check(
        &format!(
            "ann@example.com:{md5}\nann@example.com:{md5}:s4lt\nbob:{md5}:s4lt\nann@example.com:{bcrypt}\nann@example.com,{phc}\n\
             ann@example.com:{md5}:hunter2\nann@example.com:s4lt:{md5}\n"
        ),
        &[
            dump(1, "ann@example.com", md5),
            dump(2, "ann@example.com", md5).salt("s4lt").or("ann@example.com", md5),
            dump(3, "bob", md5).salt("s4lt"),
            dump(4, "ann@example.com", bcrypt),
            dump(5, "ann@example.com", phc),
            dump(6, "ann@example.com", md5)
                .salt("hunter2")
                .or("ann@example.com", "hunter2"),
            dump(7, "ann@example.com", md5).salt("s4lt").or("ann@example.com", md5),
        ],
        &[],
    );
}

#[test]
fn urls() {
    check(
        "https://shop.example/login:ann@example.com:hunter2\n\
         https://shop.example:8443/a?b=1:bob:a:b\n\
         http://192.0.2.1:8080:admin:admin\n\
         https://shop.example:12345:0000\n\
         android://kq_Zw3==@com.example.app/:bob:pw\n\
         https://a.example/x,y|bob|p:w\n\
         https://a.example/ bob:pw\n\
         https://a.example/;bob;pw\n\
         \"https://a.example/\",\"bob\",\"p\"\"w\"\n\
         bob:pw:https://a.example/\n\
         ann@example.com|https://a.example/|pw\n\
         a.example/login:bob:pw\n\
         192.0.2.1:8080:admin:admin\n\
         ann@example.com:http://secret\n",
        &[
            stealer(1, "ann@example.com", "hunter2"),
            stealer(2, "bob", "a:b"),
            stealer(3, "admin", "admin"),
            stealer(4, "12345", "0000"),
            stealer(5, "bob", "pw"),
            stealer(6, "bob", "p:w"),
            stealer(7, "bob", "pw"),
            stealer(8, "bob", "pw"),
            stealer(9, "bob", "p\"w"),
            stealer(10, "bob", "pw"),
            stealer(11, "ann@example.com", "pw"),
            stealer(12, "bob", "pw"),
            stealer(13, "admin", "admin"),
            dump(14, "ann@example.com", "http://secret"),
        ],
        &[],
    );
}

#[test]
fn a_dotted_name_is_a_person_unless_it_looks_like_a_host() {
    check(
        "john.smith:a:b\nexample.com:bob:pw\njohn.smith:john@example.com:pw\n",
        &[
            dump(1, "john.smith", "a:b"),
            stealer(2, "bob", "pw").or("example.com", "bob:pw"),
            dump(3, "john@example.com + john.smith", "pw"),
        ],
        &[],
    );
}

#[test]
fn csv_with_a_header() {
    check(
        "id,E-Mail,User Name,passwd,note\n\
         1,ann@example.com,ann,\"a,\"\"b\",x\n\
         2,bob@example.com,bob,pw,\"two\nlines\"\n\
         3,carla@example.com,carla,,\n\
         4,dora@example.com,dora,pa,ss,x\n\
         eve@example.com:pw\n",
        &[
            dump(2, "ann@example.com + ann", "a,\"b"),
            dump(3, "bob@example.com + bob", "pw"),
            dump(6, "dora@example.com", "dora,pa,ss,x").or("dora@example.com", "pa,ss,x"),
            dump(7, "eve@example.com", "pw"),
        ],
        &[(HEADER, 1), (MORE, 1), (NO_SECRET, 1)],
    );
}

#[test]
fn headers_in_other_words_and_separators() {
    check(
        "Password;Login\npw;bob\n\"mail\"\t\"hash\"\t\"salt\"\nann@example.com\tffff\tgggg\nmsisdn|pwd|created\n15551234|x|2020\n\
         email:password\nann@example.com:a:b\n",
        &[
            dump(2, "bob", "pw"),
            dump(4, "ann@example.com", "ffff").salt("gggg"),
            dump(6, "15551234", "x"),
            dump(8, "ann@example.com", "a:b"),
        ],
        &[(HEADER, 4)],
    );
}

#[test]
fn a_pair_of_words_is_a_header_only_at_the_beginning() {
    check("username:password\nann:x\n", &[dump(2, "ann", "x")], &[(HEADER, 1)]);
    check(
        "ann:x\nusername:password\n",
        &[dump(1, "ann", "x"), dump(2, "username", "password")],
        &[],
    );
}

#[test]
fn a_stray_quote_swallows_nothing() {
    check(
        "email,password\nann@example.com,\"x\nbob@example.com,y\ncarla@example.com,\"z\ndora@example.com,w\n",
        &[
            dump(2, "ann@example.com", "\"x"),
            dump(3, "bob@example.com", "y"),
            dump(4, "carla@example.com", "\"z"),
            dump(5, "dora@example.com", "w"),
        ],
        &[(HEADER, 1)],
    );
}

#[test]
fn exports_of_browsers_and_password_managers() {
    check(
        "name,url,username,password,note\n\
         shop.example,https://shop.example/,ann@example.com,\"a,b\",\"line 1\nline 2\"\n\
         \"url\",\"username\",\"password\",\"httpRealm\",\"formActionOrigin\",\"guid\",\"timeCreated\"\n\
         \"https://a.example\",\"bob\",\"\"\"q\"\"\",\"\",\"https://a.example\",\"{0}\",\"1\"\n\
         folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n\
         ,,login,A,,,0,https://a.example,carla,pw,\n",
        &[
            stealer(2, "ann@example.com", "a,b"),
            stealer(5, "bob", "\"q\""),
            stealer(7, "carla", "pw"),
        ],
        &[(HEADER, 3), (MORE, 1)],
    );
}

#[test]
fn a_layout_that_nothing_fits_is_left() {
    let mut text = "password,login\npw,bob\n".to_owned();
    let mut records = vec![dump(2, "bob", "pw")];
    for line in 3..1003 {
        text.push_str("ann@example.com:x\n");
        records.push(dump(line, "ann@example.com", "x"));
    }
    text.push_str("carla,pw\n");
    records.push(dump(1003, "carla", "pw"));
    check(&text, &records, &[(HEADER, 1)]);
}

#[test]
fn json() {
    check(
        "{\"_id\":{\"$oid\":\"5f\"},\"email\":\"ann@example.com\",\"password\":\"a\\\"\\u00e9\\ud83d\\ude00\"}\n\
         {\"user\":{\"login\":\"bob\",\"phone\":15551234},\"credentials\":{\"pass\":12345}}\n\
         {\"emails\":[{\"address\":\"carla@example.com\",\"verified\":true}],\"services\":{\"password\":{\"bcrypt\":\"$2b$10$x\"}}}\n\
         {\"url\":\"https://a.example\",\"username\":\"dora\",\"password\":\"pw\"}\n\
         {\"email\":\"eve@example.com\",\"hash\":\"ffff\",\"salt\":\"gggg\"}\n\
         {\"email\":\"fay@example.com\"}\n\
         {\"password\":\"x\"}\n",
        &[
            dump(1, "ann@example.com", "a\"é😀"),
            dump(2, "bob + 15551234", "12345"),
            dump(3, "carla@example.com", "$2b$10$x"),
            stealer(4, "dora", "pw"),
            dump(5, "eve@example.com", "ffff").salt("gggg"),
        ],
        &[(NO_SECRET, 1), (NO_IDENTIFIER, 1)],
    );
}

#[test]
fn json_arrays_and_objects_over_several_lines() {
    check(
        "[\n{\"email\":\"ann@example.com\",\"password\":\"a\"},\n{\"email\":\"bob@example.com\",\"password\":\"b\"}]\n\
         [{\"email\":\"c@example.com\",\"password\":\"c\"},{\"email\":\"d@example.com\",\"password\":\"d\"}]\n\
         [\n  {\n    \"email\": \"e@example.com\",\n    \"password\": \"e\"\n  }, {\n    \"email\": \"f@example.com\",\n    \"password\": \"f\"\n  }\n]\n",
        &[
            dump(2, "ann@example.com", "a"),
            dump(3, "bob@example.com", "b"),
            dump(4, "c@example.com", "c"),
            dump(4, "d@example.com", "d"),
            dump(6, "e@example.com", "e"),
            dump(9, "f@example.com", "f"),
        ],
        &[(HEADER, 3), (MORE, 6)],
    );
}

#[test]
fn what_only_looks_like_json_is_read_as_a_line() {
    check(
        "{ann}:x\n[bob]:y\n",
        &[dump(1, "{ann}", "x"), dump(2, "[bob]", "y")],
        &[],
    );
}

#[test]
fn sql_rows_in_one_statement() {
    check(
        "INSERT INTO `users` (`id`, `email`, `password`) VALUES (1,'ann@example.com','it\\'s'),(2,'bob@example.com',NULL),\
         (3,'o\\'neil@example.com','a''b');\n\
         INSERT INTO posts (id, body) VALUES (1, 'hello; it''s me');\n\
         INSERT [dbo].[Users] ([Id], [UserName], [PasswordHash], [PasswordSalt]) VALUES (1, N'carla', N'ffff', N'gggg')\n",
        &[
            dump(1, "ann@example.com", "it's"),
            dump(1, "o'neil@example.com", "a'b"),
            dump(3, "carla", "ffff").salt("gggg"),
        ],
        &[(NO_SECRET, 1)],
    );
}

#[test]
fn sql_dumps_over_many_lines() {
    check(
        "-- MySQL dump\nDROP TABLE IF EXISTS `member`;\nCREATE TABLE `member` (\n  `id` int(11) NOT NULL,\n  `nick` varchar(20) DEFAULT 'a,b',\n  \
         `pass` char(32),\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\nINSERT INTO `member` VALUES\n(1,'ann','aa'),\n(2,'bob','b\nb'),(3,'carla','cc');\n\
         UNLOCK TABLES;\ndora@example.com:x\n",
        &[
            dump(10, "ann", "aa"),
            dump(11, "bob", "b\nb"),
            dump(12, "carla", "cc"),
            dump(14, "dora@example.com", "x"),
        ],
        &[(COMMENT, 3), (HEADER, 7), (MORE, 1)],
    );
}

#[test]
fn sql_rows_of_an_unknown_table() {
    let hash = "5f4dcc3b5aa765d61d8327deb882cf99";
    check(
        &format!(
            "INSERT INTO m VALUES (1,'ann','ann@example.com','{hash}','s4lt',0);\nINSERT INTO m VALUES (2,'bob','bob@example.com','pw');\n"
        ),
        &[
            dump(1, "ann@example.com + ann", hash)
                .salt("s4lt")
                .or("ann@example.com", hash),
            dump(2, "bob@example.com + bob", "pw"),
        ],
        &[],
    );
}

#[test]
fn a_backslash_is_an_escape_or_itself() {
    check(
        "INSERT INTO u (login, pass) VALUES ('ann','a\\b\\\\c');\nINSERT INTO u (login, pass) VALUES ('bob','b\\');\n",
        &[
            dump(1, "ann", "a\u{8}\\c").or("ann", "a\\b\\\\c"),
            dump(2, "bob", "b\\"),
        ],
        &[],
    );
}

#[test]
fn hexadecimal_values_of_sql() {
    check(
        "INSERT INTO u (login, pass) VALUES ('ann',0x68756E74657232),('bob',0x5f4dcc3b5aa765d61d8327deb882cf99);\n",
        &[
            dump(1, "ann", "hunter2"),
            dump(1, "bob", "5f4dcc3b5aa765d61d8327deb882cf99"),
        ],
        &[],
    );
}

#[test]
fn postgres_copy() {
    check(
        "COPY public.users (id, email, encrypted_password) FROM stdin;\n1\tann@example.com\ta\\tb\\\\\n2\tbob@example.com\t\\N\n\\.\ncarla\tpw\n",
        &[dump(2, "ann@example.com", "a\tb\\"), dump(5, "carla", "pw")],
        &[(HEADER, 2), (NO_SECRET, 1)],
    );
}

#[test]
fn stealer_blocks() {
    check(
        "URL: https://a.example/\nUsername: ann@example.com\nPassword: a b \nApplication: Google_[Chrome]_Default\n===============\n\
         SOFT: Chrome\nHOST: https://b.example/\nUSER: bob\nPASS: x\n\n\
         login - carla\npassword - y\nurl - https://c.example/\n\
         UR1:\thttps://d.example/\nU53RN4M3:\tdora\nP455W0RD:\tz\n",
        &[
            stealer(1, "ann@example.com", "a b "),
            stealer(6, "bob", "x"),
            stealer(11, "carla", "y"),
            stealer(14, "dora", "z"),
        ],
        &[(MORE, 10), (BLANK, 2)],
    );
}

#[test]
fn stealer_blocks_with_gaps_and_remarks() {
    check(
        "URL: https://a.example/\r\n\r\nUsername: ann\r\n\r\nPassword: a\r\n\r\n\r\n\
         Host: b.example\nLogin: bob\nForm data: yes\nEmail: bob@example.com\nPassword:  b\n",
        &[stealer(1, "ann", "a"), stealer(8, "bob@example.com + bob", " b")],
        &[(MORE, 6), (BLANK, 4)],
    );
}

#[test]
fn a_blank_before_the_password_is_its_own_where_other_labels_have_none() {
    check(
        "url:https://a.example/\nlogin:ann\npassword: x\n",
        &[stealer(1, "ann", " x")],
        &[(MORE, 2)],
    );
}

#[test]
fn blocks_that_lack_something() {
    check(
        "URL: https://a.example/\nUsername: ann\n===\nURL: https://b.example/\nUsername: bob\nPassword: \n\nURL: https://c.example/\nUsername: \nPassword: x\n",
        &[],
        &[
            (INCOMPLETE, 1),
            (MORE, 5),
            (BLANK, 2),
            (NO_SECRET, 1),
            (NO_IDENTIFIER, 1),
        ],
    );
}

#[test]
fn a_list_may_hold_the_words_of_labels() {
    check(
        "ann:x\nuser:123456\nbob:y\npassword:password\nlogin:secret\nuser:1\npassword:2\ncarla:z\n",
        &[
            dump(1, "ann", "x"),
            dump(2, "user", "123456"),
            dump(3, "bob", "y"),
            dump(4, "password", "password"),
            dump(5, "login", "secret"),
            stealer(6, "1", "2").or("user", "1").or("password", "2"),
            dump(8, "carla", "z"),
        ],
        &[(MORE, 1)],
    );
}

#[test]
fn a_block_in_one_line() {
    check(
        "URL: https://a.example/ | Login: ann | Password: a|b\nHost: a.example Username: bob Password: x y\n",
        &[stealer(1, "ann", "a|b"), stealer(2, "bob", "x y")],
        &[],
    );
}

#[test]
fn formats_mixed_in_one_file() {
    check(
        "login;pass\nann;a\nhttps://a.example/:bob:b\n{\"user\":\"carla\",\"pwd\":\"c\"}\nURL: https://a.example/\nLogin: dora\nPassword: d\n\n\
         eve;e\nINSERT INTO u (mail, pass) VALUES ('fay@example.com','f');\ngus;g\n",
        &[
            dump(2, "ann", "a"),
            stealer(3, "bob", "b"),
            dump(4, "carla", "c"),
            stealer(5, "dora", "d"),
            dump(9, "eve", "e"),
            dump(10, "fay@example.com", "f"),
            dump(11, "gus", "g"),
        ],
        &[(HEADER, 1), (MORE, 2), (BLANK, 1)],
    );
}

#[test]
fn the_words_of_the_bins_are_their_own() {
    let words: std::collections::BTreeSet<_> = Bin::ALL.iter().map(|bin| bin.word()).collect();
    assert_eq!(words.len(), Bin::ALL.len());
    for (index, bin) in Bin::ALL.into_iter().enumerate() {
        assert_eq!(bin.index(), index);
    }
}

#[test]
fn objects_inside_a_large_object_are_found() {
    let mut text = "{\n  \"users\": [\n".to_owned();
    let mut records = Vec::new();
    for number in 0..100 {
        records.push(dump(
            3 + number * 4,
            &format!("user{number}@example.com"),
            &format!("pw{number}"),
        ));
        text.push_str(&format!(
            "    {{\n      \"email\": \"user{number}@example.com\",\n      \"password\": \"pw{number}\"\n    }},\n"
        ));
    }
    text.push_str("  ]\n}\n");
    check(&text, &records, &[(HEADER, 4), (MORE, 300)]);
}

#[test]
fn a_row_of_sql_may_hold_line_ends_and_share_its_lines() {
    check(
        "INSERT INTO u (login, bio, pass) VALUES ('ann','a','x'),('bob','two\nlines, isn''t it','y'),('carla','c','z'),('dora','three\n\nlines','w');\neve:v\n",
        &[
            dump(1, "ann", "x"),
            dump(1, "bob", "y"),
            dump(2, "carla", "z"),
            dump(2, "dora", "w"),
            dump(5, "eve", "v"),
        ],
        &[(MORE, 3)],
    );
}
