//! Kubernetes resource quantities, exact: a count of 10⁻⁹ units and the notation it was written in.

/// How a quantity is written out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `Ki`, `Mi`, `Gi`.
    Binary,
    /// `m`, `k`, `M`.
    Decimal,
    /// `e3`.
    Exponent,
}

/// An exact amount.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantity {
    /// In 10⁻⁹ units.
    nanos: i128,
    notation: Notation,
}

const NANO: i128 = 1_000_000_000;
/// The server caps amounts at the largest 64-bit integer of units.
const CAP: i128 = i64::MAX as i128 * NANO;
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

impl Quantity {
    /// No amount at all, in the notation of `like`.
    pub(crate) fn zero() -> Self {
        Self { nanos: 0, notation: Notation::Decimal }
    }

    /// A whole number of units.
    pub(crate) fn count(units: usize) -> Self {
        Self { nanos: i128::try_from(units).map_or(CAP, |n| n.saturating_mul(NANO)), notation: Notation::Decimal }
    }

    /// Reads a quantity; `None` where the server would refuse the text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at_checked(end)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return None;
        }
        let (factor, shift, notation) = scale(suffix)?;
        let digits: i128 = format!("{whole}{fraction}").trim_start_matches('0').parse().unwrap_or_else(|_| zero_or_huge(whole, fraction));
        let exponent = shift.saturating_add(9).saturating_sub(i32::try_from(fraction.len()).ok()?);
        let magnitude = shifted(digits.saturating_mul(factor), exponent).min(CAP);
        Some(Self { nanos: if negative { -magnitude } else { magnitude }, notation })
    }

    /// Reads what a JSON field holds: a text or a bare number.
    pub(crate) fn read(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(text) => Self::parse(text),
            serde_json::Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Sum, in the notation of `self` unless that is nothing yet.
    pub(crate) fn plus(self, other: Self) -> Self {
        let notation = if self.nanos == 0 { other.notation } else { self.notation };
        Self { nanos: self.nanos.saturating_add(other.nanos), notation }
    }

    /// The amount in 10⁻⁹ units.
    pub(crate) fn nanos(self) -> i128 {
        self.nanos
    }

    /// The amount in the server's canonical form.
    pub(crate) fn canonical(self) -> String {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let magnitude = self.nanos.unsigned_abs();
        let nano = NANO.unsigned_abs();
        let whole = magnitude.is_multiple_of(nano);
        match self.notation {
            _ if magnitude == 0 => "0".to_owned(),
            // below 1024 the binary form falls back to the decimal one, as do fractions
            Notation::Binary if whole && magnitude >= 1024 * nano => {
                let units = magnitude / nano;
                let best = BINARY.iter().rev().find(|(_, bits)| units.is_multiple_of(1 << bits));
                best.map_or_else(|| format!("{sign}{units}"), |(suffix, bits)| format!("{sign}{}{suffix}", units >> bits))
            }
            Notation::Exponent => decimal(magnitude).map_or_else(String::new, |(n, exponent)| match exponent {
                0 => format!("{sign}{n}"),
                e => format!("{sign}{n}e{e}"),
            }),
            _ => decimal(magnitude).map_or_else(String::new, |(n, exponent)| {
                let suffix = DECIMAL.iter().find(|(_, e)| *e == exponent).map_or("", |(s, _)| s);
                format!("{sign}{n}{suffix}")
            }),
        }
    }
}

/// A digit text that does not fit an integer is either empty (all zeroes) or larger than the cap.
fn zero_or_huge(whole: &str, fraction: &str) -> i128 {
    let zero = whole.bytes().chain(fraction.bytes()).all(|b| b == b'0');
    if zero { 0 } else { i128::MAX }
}

fn scale(suffix: &str) -> Option<(i128, i32, Notation)> {
    if let Some((_, bits)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        return Some((1 << bits, 0, Notation::Binary));
    }
    if let Some((_, exponent)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((1, *exponent, Notation::Decimal));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    exponent.parse().ok().map(|e| (1, e, Notation::Exponent))
}

/// `digits` times ten to the `exponent`, away from zero where digits fall off.
fn shifted(digits: i128, exponent: i32) -> i128 {
    let power = |e: u32| 10_i128.checked_pow(e);
    if exponent >= 0 {
        power(exponent.unsigned_abs()).map_or(if digits == 0 { 0 } else { CAP }, |p| digits.saturating_mul(p))
    } else {
        power(exponent.unsigned_abs()).map_or(i128::from(digits != 0), |p| digits / p + i128::from(digits % p != 0))
    }
}

/// The largest power of a thousand that leaves a whole number, for a magnitude in nanos.
fn decimal(magnitude: u128) -> Option<(u128, i32)> {
    DECIMAL.iter().rev().find_map(|(_, exponent)| {
        let unit = 10_u128.checked_pow(u32::try_from(exponent + 9).ok()?)?;
        magnitude.is_multiple_of(unit).then_some((magnitude / unit, *exponent))
    })
}

#[cfg(test)]
mod tests {
    use super::Quantity;

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("1000m", "1"),
            ("500m", "500m"),
            ("0.5", "500m"),
            ("1.5", "1500m"),
            ("1024Mi", "1Gi"),
            ("1536Mi", "1536Mi"),
            ("2000Ki", "2000Ki"),
            ("1024", "1024"),
            ("1000", "1k"),
            ("0", "0"),
            ("-1.5Gi", "-1536Mi"),
            ("1e3", "1e3"),
            ("5E", "5E"),
            ("0.5Ki", "512"),
            ("1.5Ki", "1536"),
            ("100M", "100M"),
            ("1n", "1n"),
            ("0.0000000001", "1n"),
        ] {
            assert_eq!(Quantity::parse(text).map(Quantity::canonical).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn refused_texts() {
        for text in ["", "Ki", "+-5", "1.2.3", "5Zi", "1 Gi", "e5", "."] {
            assert!(Quantity::parse(text).is_none(), "{text}");
        }
    }
}
