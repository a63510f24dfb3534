//! Who is who in the stub: accounts, roles, credentials.

/// The account in which rescind runs.
pub const HUB: &str = "111111111111";
/// The account that manages the organization.
pub const MANAGEMENT: &str = "999999999999";
/// The only queue.
pub const QUEUE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/111111111111/findings";

/// The account of the credentials: that which the stub's AssumeRole wrote into them, or the hub.
pub fn account_of(access_key: &str) -> &str {
    let account = access_key.strip_prefix("ASIA").and_then(|rest| rest.get(..12));
    account.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(HUB)
}

/// The unique id of a role: always the same one for the same name.
pub fn role_id(account: &str, name: &str) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    // FNV-1a.
    let hash =
        format!("{account}/{}", name.to_lowercase()).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let digits = (0..13).map(|n| char::from(DIGITS[usize::from((hash >> (5 * n)).to_le_bytes()[0] & 31)]));
    format!("AROASTUB{}", digits.collect::<String>())
}
