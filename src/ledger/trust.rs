//! Which keys sign for which. The keys of a ledger are a set, and its members are known by signatures alone.

use super::note::{Checkpoint, PublicKey, endorsed_key, replaced_key, signer_ids};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// A `signing_key` entry. That it stands in the ledger proves nothing: its notes do.
#[derive(Debug, Clone)]
pub struct NamedKey {
    /// Number of the entry.
    pub seq: u64,
    /// The key that it introduces.
    pub key: PublicKey,
    /// What is said to be the note of a key before it.
    endorsed: String,
    /// What is said to be its own note that it replaces a key.
    follows: String,
    /// What are said to be its own notes for the keys that sign beside it.
    accepts: Vec<String>,
}

impl NamedKey {
    /// From the text of an entry; none when it introduces no key.
    #[must_use]
    pub fn parse(seq: i64, body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let data = &value["data"];
        let note = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        let accepts = data["accepts"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Some(Self {
            seq: u64::try_from(seq).unwrap_or(u64::MAX),
            key: PublicKey::parse(data["public_key"].as_str()?).ok()?,
            endorsed: note("endorsed"),
            follows: note("follows"),
            accepts: accepts.map(str::to_owned).collect(),
        })
    }
}

/// The keys that the ledger introduces, in order.
///
/// # Errors
/// When the ledger cannot be read.
pub fn named_keys(connection: &Connection) -> rusqlite::Result<Vec<NamedKey>> {
    let sql = "SELECT seq, body FROM entries WHERE kind = 'signing_key' AND kind <> 'call' ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let mut named = Vec::new();
    for row in rows {
        let (seq, body) = row?;
        named.extend(NamedKey::parse(seq, &body));
    }
    Ok(named)
}

/// Whether a key may sign for a ledger that several hosts share since the entry `since`: one that was there before, the
/// first, or one that these trust. A key whose own note says that it replaces one was put there by a person who has it:
/// the keys before it are lost.
#[must_use]
pub fn may_sign(key: &PublicKey, named: &[NamedKey], since: u64) -> bool {
    let roots: Vec<PublicKey> = named
        .iter()
        .enumerate()
        .filter(|(at, one)| *at == 0 || one.seq < since)
        .map(|(_, one)| one.key.clone())
        .collect();
    let replaces = |one: &NamedKey| {
        one.key == *key && replaced_key(&one.follows).is_some_and(|before| key.follows(&before, &one.follows))
    };
    let set = KeySet::find(&roots, named);
    set.keys.contains(key) || !set.is_retired(key) && named.iter().any(replaces)
}

/// The entries that introduce a key for which no key before it has signed. The first one needs nobody.
#[must_use]
pub fn unendorsed(named: &[NamedKey]) -> Vec<u64> {
    let mut before: HashMap<[u8; 4], HashSet<&PublicKey>> = HashMap::new();
    let mut found = Vec::new();
    for one in named {
        let is_new = before.get(&one.key.id_bytes()).is_none_or(|keys| !keys.contains(&one.key));
        let signers = || signer_ids(&one.endorsed).into_iter().filter_map(|id| before.get(&id)).flatten();
        if is_new && !before.is_empty() && !signers().any(|key| key.endorses(&one.key, &one.endorsed)) {
            found.push(one.seq);
        }
        before.entry(one.key.id_bytes()).or_default().insert(&one.key);
    }
    found
}

/// Keys that are trusted, because one that was given has signed for them, or one that it signed for.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    /// The keys: first those that were given.
    pub keys: Vec<PublicKey>,
    /// Keys that a trusted one has replaced by its own word, each with the entry at which it did. They count
    /// for what was there before it.
    pub replaced: Vec<(u64, PublicKey)>,
}

impl KeySet {
    /// Finds out which keys count. Only signatures of keys that count are checked.
    #[must_use]
    pub fn find(given: &[PublicKey], named: &[NamedKey]) -> Self {
        let notes = Notes::of(named);
        let known = notes.closure(given, &HashMap::new());
        let retired = Notes::retired(&known.iter().collect(), named);
        let mut keys = if retired.is_empty() { known } else { notes.closure(given, &retired) };
        let mut until = replaced(&keys.iter().collect(), named, &notes.by_key);
        for (key, seq) in &retired {
            until.entry(key.clone()).and_modify(|at| *at = (*at).min(*seq)).or_insert(*seq);
        }
        keys.retain(|key| !retired.contains_key(key));
        let mut replaced: Vec<_> = until.into_iter().map(|(key, until)| (until, key)).collect();
        replaced.sort_by_key(|(until, _)| *until);
        Self { keys, replaced }
    }

    /// Whether a key has signed for the one that replaced it: it counts for what was there before, and for nothing since,
    /// whoever else still says that it signs beside them.
    #[must_use]
    pub fn is_retired(&self, key: &PublicKey) -> bool {
        !self.keys.contains(key) && self.replaced.iter().any(|(_, gone)| gone == key)
    }

    /// The keys that sign beside `key`: those that count, but for itself and for those that were replaced.
    pub fn beside(&self, key: &PublicKey) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().filter(move |one| *one != key && !self.replaced.iter().any(|(_, gone)| gone == *one))
    }

    /// The checkpoint in a note, if a key that counts has signed it.
    #[must_use]
    pub fn open(&self, note: &str) -> Option<Checkpoint> {
        let before = || {
            let mut signed =
                self.replaced.iter().filter_map(|(until, key)| Some((*until, key.open(note).ok()?)));
            signed.find(|(until, checkpoint)| checkpoint.size < *until).map(|(_, checkpoint)| checkpoint)
        };
        self.keys.iter().find_map(|key| key.open(note).ok()).or_else(before)
    }

    /// Whether a key that counts fulfils `claimed` about the entry `seq`.
    pub fn any(&self, seq: u64, claimed: impl Fn(&PublicKey) -> bool) -> bool {
        self.keys.iter().any(&claimed)
            || self.replaced.iter().any(|(until, key)| seq < *until && claimed(key))
    }
}

/// The notes of keys, by who has signed them and by which key's entry they stand in.
struct Notes<'a> {
    by_signer: HashMap<[u8; 4], Vec<&'a NamedKey>>,
    by_key: HashMap<&'a PublicKey, Vec<&'a NamedKey>>,
}

impl<'a> Notes<'a> {
    fn of(named: &'a [NamedKey]) -> Self {
        let (mut by_signer, mut by_key): (HashMap<_, Vec<_>>, HashMap<_, Vec<_>>) = Default::default();
        for one in named {
            for id in signer_ids(&one.endorsed) {
                by_signer.entry(id).or_default().push(one);
            }
            by_key.entry(&one.key).or_default().push(one);
        }
        Self { by_signer, by_key }
    }

    /// The keys that one of those that were given has signed for, or one that it signed for in turn. A key that was
    /// retired signs for none behind that entry.
    fn closure(&self, given: &[PublicKey], retired: &HashMap<PublicKey, u64>) -> Vec<PublicKey> {
        let (mut keys, mut known): (Vec<PublicKey>, HashSet<PublicKey>) = Default::default();
        let mut waiting: Vec<PublicKey> = given.iter().rev().cloned().collect();
        while let Some(key) = waiting.pop() {
            if !known.insert(key.clone()) {
                continue;
            }
            let until = retired.get(&key).copied().unwrap_or(u64::MAX);
            let signed_for = self.by_signer.get(&key.id_bytes()).into_iter().flatten();
            let signed_for = signed_for.filter(|one| one.seq <= until && !known.contains(&one.key));
            waiting.extend(
                signed_for.filter(|one| key.endorses(&one.key, &one.endorsed)).map(|one| one.key.clone()),
            );
            let own = self.by_key.get(&key).into_iter().flatten().filter(|one| one.seq <= until);
            let accepted =
                own.flat_map(|one| &one.accepts).filter_map(|note| Some((endorsed_key(note)?, note)));
            let accepted = accepted.filter(|(next, note)| !known.contains(next) && key.endorses(next, note));
            waiting.extend(accepted.map(|(next, _)| next));
            keys.push(key);
        }
        keys
    }

    /// The keys of `known` that were rotated, each with the entry at which it was: it has signed for the new one, which
    /// says that it replaces it.
    fn retired(known: &HashSet<&PublicKey>, named: &[NamedKey]) -> HashMap<PublicKey, u64> {
        let mut retired = HashMap::new();
        for one in named {
            let Some(before) = replaced_key(&one.follows) else { continue };
            let is_asked = known.contains(&before)
                && before != one.key
                && !retired.contains_key(&before)
                && signer_ids(&one.endorsed).contains(&before.id_bytes());
            if is_asked && before.endorses(&one.key, &one.endorsed) && one.key.follows(&before, &one.follows)
            {
                retired.insert(before, one.seq);
            }
        }
        retired
    }
}

/// Of what are said to be the notes of `key` for others, those that it signed for one of `keys`. One is checked for each
/// of these: whoever can write the ledger can write many.
#[must_use]
pub fn notes_for<S: BuildHasher>(
    key: &PublicKey,
    notes: &[String],
    keys: &HashSet<PublicKey, S>,
) -> Vec<String> {
    let mut checked = HashSet::new();
    let mut is_own = |note: &&String| {
        let next = endorsed_key(note).filter(|next| keys.contains(next));
        next.is_some_and(|next| checked.insert(next.clone()) && key.endorses(&next, note))
    };
    notes.iter().filter(|note| is_own(note)).cloned().collect()
}

/// Goes back from the latest to the first: the keys that a trusted one says it replaced. A copy of such an entry makes none
/// count for longer.
fn replaced(
    known: &HashSet<&PublicKey>,
    named: &[NamedKey],
    by_key: &HashMap<&PublicKey, Vec<&NamedKey>>,
) -> HashMap<PublicKey, u64> {
    let mut found: HashMap<PublicKey, u64> = HashMap::new();
    for one in named.iter().rev() {
        if !known.contains(&one.key) && !found.contains_key(&one.key) {
            continue;
        }
        let Some(before) = replaced_key(&one.follows) else { continue };
        let was_there =
            by_key.get(&before).and_then(|all| all.first()).is_some_and(|first| first.seq < one.seq);
        if was_there && one.key.follows(&before, &one.follows) {
            found.insert(before, one.seq);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::note::Signer;
    use serde_json::json;

    const LOG: &str = "rescind/0011223344556677";

    fn signer() -> Signer {
        Signer::generate(LOG).expect("random")
    }

    fn entry(seq: i64, key: &Signer, data: &Value) -> NamedKey {
        let mut data = data.clone();
        data["public_key"] = json!(key.public().to_string());
        NamedKey::parse(seq, json!({ "data": data }).to_string().as_bytes()).expect("a key")
    }

    fn keys(given: &Signer, named: &[NamedKey]) -> Vec<PublicKey> {
        KeySet::find(&[given.public()], named).keys
    }

    #[test]
    fn those_count_that_one_which_counts_has_signed_for_in_whichever_order_they_stand() {
        let (first, second, third) = (signer(), signer(), signer());
        let named = [
            entry(1, &first, &json!({})),
            entry(2, &third, &json!({"endorsed": second.endorse(&third.public())})),
            entry(
                3,
                &second,
                &json!({"endorsed": first.endorse(&second.public()), "accepts": [second.endorse(&first.public())]}),
            ),
        ];
        assert_eq!(keys(&first, &named), [first.public(), second.public(), third.public()]);
        assert_eq!(keys(&third, &named), [third.public()]);
        let of_second: HashSet<_> = keys(&second, &named).into_iter().collect();
        assert_eq!(of_second, HashSet::from([first.public(), second.public(), third.public()]));
    }

    #[test]
    fn what_is_not_signed_counts_for_nothing() {
        let (first, thief) = (signer(), signer());
        let other = Signer::generate("rescind/other").expect("random");
        let named = [
            entry(1, &first, &json!({})),
            // It says so itself; of another key; a note for another; of another log.
            entry(2, &thief, &json!({"endorsed": thief.endorse(&thief.public())})),
            entry(3, &thief, &json!({"endorsed": first.endorse(&first.public())})),
            entry(4, &thief, &json!({"endorsed": first.follow(&thief.public())})),
            entry(5, &other, &json!({"endorsed": first.endorse(&other.public())})),
            entry(
                6,
                &thief,
                &json!({"accepts": [thief.endorse(&first.public())], "follows": thief.follow(&first.public())}),
            ),
            entry(7, &first, &json!({"accepts": [thief.endorse(&thief.public()), "", "\n\n"]})),
        ];
        let found = KeySet::find(&[first.public()], &named);
        assert_eq!((found.keys, found.replaced), (vec![first.public()], vec![]));
    }

    #[test]
    fn a_key_that_was_replaced_counts_for_what_was_there_before() {
        let (first, second) = (signer(), signer());
        let both =
            json!({"endorsed": first.endorse(&second.public()), "follows": second.follow(&first.public())});
        let named = [entry(1, &first, &json!({})), entry(10, &second, &both)];
        let found = KeySet::find(&[second.public()], &named);
        assert_eq!(found.keys, [second.public()]);
        assert_eq!(found.replaced, [(10, first.public())]);
        assert!(found.open(&first.sign(9, &[1; 32])).is_some());
        assert!(found.open(&first.sign(10, &[1; 32])).is_none());
        assert!(found.open(&second.sign(10, &[1; 32])).is_some());
    }

    #[test]
    fn a_host_signs_with_the_first_key_with_one_that_was_signed_for_and_with_one_that_replaces_a_lost_one() {
        let (first, second, thief) = (signer(), signer(), signer());
        let may = |key: &Signer, named: &[NamedKey], since| may_sign(&key.public(), named, since);
        let mut named = vec![entry(2, &first, &json!({}))];
        assert!(may(&first, &named, 1) && !may(&second, &named, 1));
        // Somebody names it, and endorses it with a key of their own.
        named.push(entry(3, &thief, &json!({"follows": thief.follow(&first.public())})));
        named.push(entry(4, &second, &json!({"endorsed": thief.endorse(&second.public())})));
        named.push(entry(5, &second, &json!({"follows": thief.follow(&first.public())})));
        assert!(!may(&second, &named, 1));
        // Before it was shared, a key could be replaced.
        assert!(may(&second, &named, 9));
        let mut lost = named.clone();
        lost.push(entry(6, &second, &json!({"follows": second.follow(&first.public())})));
        assert!(may(&second, &lost, 1));
        named.push(entry(6, &second, &json!({"endorsed": first.endorse(&second.public())})));
        assert!(may(&second, &named, 1));
    }

    #[test]
    fn a_key_that_was_rotated_counts_for_nothing_since_whoever_accepts_it() {
        let (first, second, new, thief) = (signer(), signer(), signer(), signer());
        let named = [
            entry(1, &first, &json!({})),
            entry(
                5,
                &second,
                &json!({"endorsed": first.endorse(&second.public()), "accepts": [second.endorse(&first.public())]}),
            ),
            entry(
                10,
                &new,
                &json!({
                    "endorsed": first.endorse(&new.public()), "follows": new.follow(&first.public()),
                    "accepts": [new.endorse(&second.public())],
                }),
            ),
            // By whoever has the key that was rotated.
            entry(20, &thief, &json!({"endorsed": first.endorse(&thief.public())})),
        ];
        for given in [&first, &second, &new] {
            let found = KeySet::find(&[given.public()], &named);
            let keys: HashSet<_> = found.keys.iter().cloned().collect();
            assert_eq!(keys, HashSet::from([second.public(), new.public()]));
            assert!(found.is_retired(&first.public()) && !found.is_retired(&new.public()));
            assert!(found.open(&first.sign(9, &[1; 32])).is_some());
            assert!(found.open(&first.sign(30, &[1; 32])).is_none());
            assert!(found.open(&thief.sign(30, &[1; 32])).is_none());
        }
        let may = |key: &Signer| may_sign(&key.public(), &named, 1);
        assert!(may(&new) && may(&second) && !may(&first) && !may(&thief));
    }

    /// Whoever can write the ledger can write many.
    #[test]
    fn many_entries_cost_no_signature_check_each_for_each() {
        let (first, thief) = (signer(), signer());
        let forged =
            json!({"endorsed": thief.endorse(&thief.public()), "follows": thief.follow(&first.public())});
        let mut named = vec![entry(1, &first, &json!({}))];
        named.extend((2..20_000).map(|seq| entry(seq, &thief, &forged)));
        assert_eq!(keys(&first, &named), [first.public()]);
    }
}
