//! The table of the names that a leak is probed with.

use siphasher::sip::SipHasher13;

/// The number of an account within one run: an index into whatever list the caller keeps.
pub type AccountIndex = u32;

/// The key under which names are hashed, drawn for each run: a leak's author who knew it could fill one place of the table.
#[derive(Clone, Copy)]
pub struct ProbeKey([u8; 16]);

impl ProbeKey {
    /// From 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// SipHash-1-3 of a match key; never 0, which marks a free place.
    fn hash(&self, match_key: &[u8]) -> u64 {
        SipHasher13::new_with_key(&self.0).hash(match_key) | 1
    }
}

/// From match keys to accounts. Holds a 64-bit hash and an account for each name and nothing else (18 bytes), so a hit is
/// a hint that the caller confirms with the account's own names: of 1,000 million lines against a million names
/// one in some ten thousand runs meets a false one.
pub struct IdentifierTable {
    key: ProbeKey,
    hashes: Vec<u64>,
    accounts: Vec<AccountIndex>,
    names: usize,
}

/// Collects names, then makes the table in one go.
pub struct TableBuilder {
    key: ProbeKey,
    entries: Vec<(u64, AccountIndex)>,
}

impl TableBuilder {
    /// An empty list.
    pub fn new(key: ProbeKey) -> Self {
        Self {
            key,
            entries: Vec::new(),
        }
    }

    /// Adds one match key of an account. The same key may be added for several accounts.
    pub fn add(&mut self, match_key: &[u8], account: AccountIndex) {
        self.entries.push((self.key.hash(match_key), account));
    }

    /// Makes the table.
    pub fn build(self) -> IdentifierTable {
        let names = self.entries.len();
        // At least one place stays free, where a search that finds nothing ends.
        let places = names + names / 2 + 1;
        let mut table = IdentifierTable {
            key: self.key,
            hashes: vec![0; places],
            accounts: vec![0; places],
            names,
        };
        for (hash, account) in self.entries {
            table.insert(hash, account);
        }
        table
    }
}

impl IdentifierTable {
    /// How many names it holds.
    pub fn names(&self) -> usize {
        self.names
    }

    fn insert(&mut self, hash: u64, account: AccountIndex) {
        let mut place = self.home(hash);
        while self.hashes[place] != 0 {
            if self.hashes[place] == hash && self.accounts[place] == account {
                return;
            }
            place = self.after(place);
        }
        self.hashes[place] = hash;
        self.accounts[place] = account;
    }

    /// The accounts that this match key may name.
    pub fn accounts<'a>(&'a self, match_key: &[u8]) -> impl Iterator<Item = AccountIndex> + use<'a> {
        let hash = self.key.hash(match_key);
        let mut place = self.home(hash);
        std::iter::from_fn(move || {
            loop {
                let (found, account) = (self.hashes[place], self.accounts[place]);
                if found == 0 {
                    return None;
                }
                place = self.after(place);
                if found == hash {
                    return Some(account);
                }
            }
        })
    }

    /// The upper bits spread evenly over any number of places (a multiplication instead of a division).
    fn home(&self, hash: u64) -> usize {
        let places = self.hashes.len() as u128;
        ((u128::from(hash) * places) >> 64) as usize
    }

    fn after(&self, place: usize) -> usize {
        if place + 1 == self.hashes.len() { 0 } else { place + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[(&str, AccountIndex)]) -> IdentifierTable {
        let mut builder = TableBuilder::new(ProbeKey::from_bytes([7; 16]));
        for (name, account) in names {
            builder.add(name.as_bytes(), *account);
        }
        builder.build()
    }

    fn found(table: &IdentifierTable, name: &str) -> Vec<AccountIndex> {
        let mut accounts: Vec<_> = table.accounts(name.as_bytes()).collect();
        accounts.sort_unstable();
        accounts
    }

    #[test]
    fn one_name_may_name_several_accounts() {
        let table = table(&[("anna@example.org", 3), ("anna@example.org", 9), ("bob", 4), ("bob", 4)]);
        assert_eq!(found(&table, "anna@example.org"), [3, 9]);
        assert_eq!(found(&table, "bob"), [4]);
        assert!(found(&table, "carl").is_empty());
    }

    #[test]
    fn an_empty_table_names_nobody() {
        assert!(found(&table(&[]), "anna").is_empty());
    }

    #[test]
    fn a_search_ends_in_a_table_of_one_name() {
        let table = table(&[("anna", 0)]);
        assert_eq!(found(&table, "anna"), [0]);
        assert!(found(&table, "bob").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn every_name_is_found_and_no_other(names in proptest::collection::hash_set("[a-z]{1,6}", 0..300)) {
            let names: Vec<String> = names.into_iter().collect();
            let (known, unknown) = names.split_at(names.len() / 2);
            let listed: Vec<(&str, u32)> = known.iter().enumerate().map(|(at, name)| (name.as_str(), at as u32)).collect();
            let table = table(&listed);
            for (name, account) in &listed {
                proptest::prop_assert_eq!(found(&table, name), vec![*account]);
            }
            for name in unknown {
                proptest::prop_assert!(found(&table, name).is_empty());
            }
        }
    }
}
