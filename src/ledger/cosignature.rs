//! Cosignatures: what a witness signed about a checkpoint, and when (C2SP tlog-cosignature, with Ed25519).

use super::note::{self, BadKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use jiff::Timestamp;
use std::fmt;

/// The algorithm byte of timestamped Ed25519 cosignatures in key ids and encoded keys.
const COSIGNATURE: u8 = 4;

/// Length of the key id, and of the time behind it.
const ID: usize = 4;
const TIME: usize = 8;

/// Checks the cosignatures of one witness. As text: `NAME+KEYID+BASE64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    key: VerifyingKey,
}

/// A cosignature that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The signature line, without its newline.
    pub line: String,
    /// Time at which the witness says that this was the largest tree that it had seen.
    pub time: Timestamp,
}

/// Why a cosignature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCosignature {
    /// It bears the name and the id of the key, and is not of its form.
    #[error("the cosignature of {0} has another form than tlog-cosignature describes")]
    Form(Box<CosignerKey>),
    /// It bears the name and the id of the key, which did not make it.
    #[error("the cosignature that bears the name of {0} was not made with that key over this checkpoint")]
    Forged(Box<CosignerKey>),
}

impl CosignerKey {
    /// From its text.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let (name, key) = note::parts_of(text, COSIGNATURE).ok_or(BadKey::Form)?;
        let bytes = <[u8; 32]>::try_from(&key[1..]).map_err(|_| BadKey::Form)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| BadKey::Form)?;
        let cosigner = Self { name: name.to_owned(), key };
        if cosigner.to_string() == text.trim() { Ok(cosigner) } else { Err(BadKey::Id) }
    }

    /// The witness's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; ID] {
        note::id_of(&self.name, COSIGNATURE, &self.key)
    }

    /// The latest cosignature of this key on a note; none when the note has none.
    ///
    /// # Errors
    /// When a line bears this key's name and id and is not its signature: then the note as a whole is not what it seems.
    pub fn on(&self, note: &str) -> Result<Option<Cosignature>, BadCosignature> {
        note::split(note).map_or(Ok(None), |(text, lines)| self.among(text, lines))
    }

    /// The same, of signature lines that do not stand under their text. Lines of other keys are passed over.
    ///
    /// # Errors
    /// As for a note.
    pub fn among(&self, text: &str, lines: &str) -> Result<Option<Cosignature>, BadCosignature> {
        let mut latest: Option<Cosignature> = None;
        for line in lines.lines().take(note::SIGNATURES) {
            let Some(signature) = self.own(line) else { continue };
            let time = self.check(text, &signature)?;
            if latest.as_ref().is_none_or(|latest| latest.time < time) {
                latest = Some(Cosignature { line: line.to_owned(), time });
            }
        }
        Ok(latest)
    }

    /// What stands behind the key id in a line that bears this key's name and id.
    fn own(&self, line: &str) -> Option<Vec<u8>> {
        let signature = line.strip_prefix(note::DASH)?.strip_prefix(self.name.as_str())?.strip_prefix(' ')?;
        let bytes = BASE64.decode(signature).ok()?;
        let (id, signature) = bytes.split_at_checked(ID)?;
        (id == self.id()).then(|| signature.to_vec())
    }

    fn check(&self, text: &str, signature: &[u8]) -> Result<Timestamp, BadCosignature> {
        let form = || BadCosignature::Form(Box::new(self.clone()));
        let (time, signature) = signature.split_at_checked(TIME).ok_or_else(form)?;
        let seconds = u64::from_be_bytes(time.try_into().map_err(|_| form())?);
        let signature = Signature::from_slice(signature).map_err(|_| form())?;
        let message = format!("cosignature/v1\ntime {seconds}\n{text}");
        let forged = |_| BadCosignature::Forged(Box::new(self.clone()));
        self.key.verify_strict(message.as_bytes(), &signature).map_err(forged)?;
        i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(form)
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![COSIGNATURE];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, crate::digest::hex(&self.id()), BASE64.encode(key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::note::{Checkpoint, Signer};
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    /// A checkpoint of a Certificate Transparency log, cosigned by public witnesses that others run.
    const CHECKPOINT: &str = "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n\u{2014} arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\u{2014} transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n\u{2014} witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n\u{2014} remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n\u{2014} witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==\n";
    const WITNESSES: [&str; 4] = [
        "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
        "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
        "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    ];

    #[test]
    fn public_witnesses_are_understood() {
        for text in WITNESSES {
            let key = CosignerKey::parse(text).expect("a key");
            assert_eq!(key.to_string(), text);
            let cosigned = key.on(CHECKPOINT).expect("not forged").expect("cosigned");
            assert_eq!(cosigned.time.as_second(), 0x6a12_2120);
            assert!(CHECKPOINT.contains(&cosigned.line));
            let changed = CHECKPOINT.replace("\n1432088532\n", "\n1432088533\n");
            assert_eq!(key.on(&changed), Err(BadCosignature::Forged(Box::new(key.clone()))));
        }
        // A note that the log's own key signed is opened beside them.
        let log =
            "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
        let opened = note::PublicKey::parse(log).expect("a key").open(CHECKPOINT).expect("signed");
        assert_eq!(opened.size, 1_432_088_532);
        // The other kind of key is none of these, and these are none of the other kind.
        assert_eq!(CosignerKey::parse(log), Err(BadKey::Form));
        assert_eq!(note::PublicKey::parse(WITNESSES[0]), Err(BadKey::Form));
        assert_eq!(CosignerKey::parse(&WITNESSES[2].replace("da77", "da78")), Err(BadKey::Id));
        assert_eq!(CosignerKey::parse("remora.n621.de"), Err(BadKey::Form));
    }

    fn cosigner() -> (SigningKey, CosignerKey) {
        let key = SigningKey::from_bytes(&[3; 32]);
        let cosigner = CosignerKey { name: "witness.example/w1".to_owned(), key: key.verifying_key() };
        (key, cosigner)
    }

    fn line(key: &SigningKey, cosigner: &CosignerKey, seconds: u64, message: &str) -> String {
        let signature = key.sign(message.as_bytes()).to_bytes();
        let bytes = [&cosigner.id()[..], &seconds.to_be_bytes(), &signature].concat();
        format!("{}{} {}\n", note::DASH, cosigner.name, BASE64.encode(bytes))
    }

    #[test]
    fn the_latest_counts_and_a_line_that_only_seems_its_own_is_an_error() {
        let signer = Signer::generate("rescind/0011223344556677").expect("random");
        let (key, cosigner) = cosigner();
        let note = signer.sign(42, &[7; 32]);
        let text =
            Checkpoint { origin: "rescind/0011223344556677".to_owned(), size: 42, root: [7; 32] }.text();
        assert_eq!(cosigner.on(&note), Ok(None));
        let at =
            |seconds: u64| line(&key, &cosigner, seconds, &format!("cosignature/v1\ntime {seconds}\n{text}"));
        let with_lines = format!("{note}{}{}{}", at(100), at(300), at(200));
        let found = cosigner.on(&with_lines).expect("not forged").expect("cosigned");
        assert_eq!((found.time.as_second(), found.line.as_str()), (300, at(300).trim_end()));
        assert_eq!(signer.public().open(&with_lines).map(|one| one.size), Ok(42));
        let forged = Err(BadCosignature::Forged(Box::new(cosigner.clone())));
        // The time belongs to what is signed, and so does the first line.
        let other_time = line(&key, &cosigner, 101, &format!("cosignature/v1\ntime 100\n{text}"));
        assert_eq!(cosigner.among(&text, &format!("{}{other_time}", at(300))), forged);
        assert_eq!(cosigner.among(&text, &line(&key, &cosigner, 100, &text)), forged);
        // A time that nobody can mean.
        let never = u64::MAX;
        let never = line(&key, &cosigner, never, &format!("cosignature/v1\ntime {never}\n{text}"));
        assert_eq!(cosigner.among(&text, &never), Err(BadCosignature::Form(Box::new(cosigner.clone()))));
        let short = format!("{}{} {}\n", note::DASH, cosigner.name, BASE64.encode(cosigner.id()));
        assert_eq!(cosigner.among(&text, &short), Err(BadCosignature::Form(Box::new(cosigner.clone()))));
        // Another witness's line is nothing to this one, also one that has its name.
        let stranger = SigningKey::from_bytes(&[4; 32]);
        let namesake = CosignerKey { key: stranger.verifying_key(), ..cosigner.clone() };
        let theirs = line(&stranger, &namesake, 500, &format!("cosignature/v1\ntime 500\n{text}"));
        assert_eq!(cosigner.among(&text, &theirs), Ok(None));
    }
}
