//! Writers that come between each other and end in the middle, and readers who make the same of it.

use super::{Chain, Group, Item, Tail};
use proptest::collection::vec;
use proptest::prelude::*;

/// One turn of a writer: it reads to the end or not, and then puts so many items of its next group.
#[derive(Debug, Clone)]
struct Turn {
    writer: usize,
    /// It goes on with what it has begun instead of reading first, if nobody came in between.
    goes_on: bool,
    items: usize,
    /// Afterwards it is another process, which knows nothing of what was begun.
    dies: bool,
}

const WRITERS: usize = 3;

/// Size of the payloads here: a group of one part is smaller, and each part more is larger.
const PAYLOAD: usize = 300;

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = (0..WRITERS, any::<bool>(), 1..4_usize, prop::bool::weighted(0.2));
    vec(turn.prop_map(|(writer, goes_on, items, dies)| Turn { writer, goes_on, items, dies }), 1..60)
}

/// A group whose packed bytes take several items when `large`: it cannot be compressed.
fn group(writer: &str, epoch: u64, number: u64, parts: u32) -> Group {
    let body = format!("{{\"n\":{number},\"writer\":\"{writer}\"}}").into_bytes();
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Neither a line feed nor anything that is often the same.
        random.to_le_bytes()[4] | 0x80
    };
    let beside = (1..parts).map(|_| (0..PAYLOAD + 50).map(|_| noise()).collect()).collect();
    Group { epoch, writer: writer.to_owned(), first: number, bodies: vec![body], beside }
}

/// What a writer knows.
#[derive(Default)]
struct Writer {
    name: String,
    number: u64,
    chain: Chain,
    /// What is left of the group that it has begun.
    left: Vec<Item>,
}

/// Puts as [`super::Store::put`] does.
fn put(log: &mut Vec<Item>, item: &Item) -> bool {
    let is_free = item.position == log.len() as u64 + 1;
    if is_free {
        log.push(item.clone());
    }
    is_free
}

/// Reads what stands behind the chain, and gives its whole groups.
fn read(chain: &mut Chain, log: &[Item]) -> Vec<Group> {
    let from = usize::try_from(chain.tail().position).expect("small");
    log[from..].iter().filter_map(|item| chain.take(item.clone()).expect("it follows")).collect()
}

/// The log that these turns make, and the groups that were put to their end, in order.
fn played(turns: &[Turn], parts: u32) -> (Vec<Item>, Vec<Group>) {
    let (mut log, mut answered, mut processes) = (Vec::new(), Vec::new(), 0);
    let mut writers: Vec<Writer> = Vec::new();
    writers.resize_with(WRITERS, Writer::default);
    for turn in turns {
        let writer = &mut writers[turn.writer];
        if writer.name.is_empty() {
            processes += 1;
            *writer = Writer { name: format!("host-{} {processes}", turn.writer), ..Writer::default() };
        }
        if !turn.goes_on || writer.left.is_empty() {
            read(&mut writer.chain, &log);
            writer.number += 1;
            let epoch = writer.chain.tail().epoch;
            writer.left =
                group(&writer.name, epoch, writer.number, parts).items_with(writer.chain.tail(), PAYLOAD);
        }
        for _ in 0..turn.items.min(writer.left.len()) {
            let item = writer.left.remove(0);
            if !put(&mut log, &item) {
                // Somebody came in between: it reads, and begins again in another turn.
                writer.left.clear();
                break;
            }
            answered.extend(writer.chain.take(item).expect("it follows"));
        }
        if turn.dies {
            *writer = Writer::default();
        }
    }
    (log, answered)
}

/// A log of whole groups in which each item is of another.
fn small_log(groups: u64) -> Vec<Item> {
    let (mut log, mut chain) = (Vec::new(), Chain::default());
    for number in 1..=groups {
        let [item] = &group("host-a 1", 1, number, 1).items_with(chain.tail(), PAYLOAD)[..] else {
            panic!("one item")
        };
        chain.take(item.clone()).expect("it follows");
        log.push(item.clone());
    }
    log
}

/// The first position at which a reader stops.
fn broken_at(log: &[Item]) -> Option<u64> {
    let mut chain = Chain::default();
    log.iter().find_map(|item| chain.take(item.clone()).err()).map(|broken| broken.position)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_finds_the_groups_that_were_put_to_their_end(
        turns in turns(), parts in 1_u32..4, pauses in vec(any::<prop::sample::Index>(), 0..5)
    ) {
        let (log, answered) = played(&turns, parts);
        // At once.
        prop_assert_eq!(&read(&mut Chain::default(), &log), &answered);
        // With pauses, wherever they are.
        let (mut chain, mut found) = (Chain::default(), Vec::new());
        let mut ends: Vec<usize> = pauses.iter().map(|pause| pause.index(log.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(log.len());
        for end in ends {
            found.extend(read(&mut chain, &log[..end]));
        }
        prop_assert_eq!(&found, &answered);
        // From behind a whole group.
        let (mut chain, mut count) = (Chain::default(), 0);
        for item in &log {
            count += usize::from(chain.take(item.clone()).expect("it follows").is_some());
            if chain.is_whole() {
                let rest = read(&mut Chain::behind(chain.tail().clone()), &log);
                prop_assert_eq!(&rest[..], &answered[count..]);
            }
        }
    }

    #[test]
    fn a_group_is_what_its_items_say(
        bodies in vec("[ -~]{1,80}", 0..20), beside in vec("[ -~]{0,80}", 0..5), parts in 1_u32..4, position in 0..100_u64
    ) {
        let mut whole = group("host-a 1", 3, 7, parts);
        whole.bodies = bodies.into_iter().map(String::into_bytes).collect();
        whole.beside.extend(beside.into_iter().map(String::into_bytes));
        let items = whole.items_with(&Tail { position, epoch: 3, hash: "ab".to_owned() }, PAYLOAD);
        prop_assert!(items.len() >= parts as usize);
        prop_assert_eq!(Group::of(&items), Ok(whole));
        if items.len() > 1 {
            prop_assert!(Group::of(&items[1..]).is_err());
            prop_assert!(Group::of(&items[..items.len() - 1]).is_err());
        }
    }

    #[test]
    fn a_change_breaks_the_chain_where_it_is_or_behind_it(
        at in 0_usize..7, field in 0..9, byte in any::<prop::sample::Index>(), bit in 0_u8..8
    ) {
        let mut log = small_log(8);
        let item = &mut log[at];
        match field {
            0 => item.position += 1,
            1 => item.epoch += 1,
            2 => item.writer.push('x'),
            3 => item.part += 1,
            4 => item.parts += 1,
            5 => item.first += 1,
            6 => item.count += 1,
            7 => item.before.push('0'),
            _ => {
                let byte = byte.index(item.payload.len());
                item.payload[byte] ^= 1_u8 << bit;
            }
        }
        let broken = broken_at(&log).expect("it is seen");
        // A changed position is that of the item which says so.
        prop_assert!((at as u64 + 1..=at as u64 + 2).contains(&broken), "{} at {}", broken, at);
    }

    #[test]
    fn an_item_that_is_missing_twice_there_or_elsewhere_breaks_the_chain(
        from in 0_usize..8, to in 0_usize..8, what in 0..3, renumbered in any::<bool>()
    ) {
        let mut log = small_log(9);
        match what {
            0 => drop(log.remove(from)),
            1 => log.insert(to, log[from].clone()),
            _ => {
                prop_assume!(from != to);
                log.swap(from, to);
            }
        }
        if renumbered {
            (1..).zip(&mut log).for_each(|(position, item)| item.position = position);
        }
        prop_assert!(broken_at(&log).is_some());
    }
}

#[test]
fn a_writer_of_an_epoch_that_is_over_breaks_the_chain() {
    let mut log = small_log(3);
    let mut chain = Chain::default();
    read(&mut chain, &log);
    log.extend(group("host-b 1", 2, 1, 1).items_with(chain.tail(), PAYLOAD));
    read(&mut chain, &log);
    log.extend(group("host-a 1", 1, 4, 1).items_with(chain.tail(), PAYLOAD));
    assert_eq!(broken_at(&log), Some(5));
}
