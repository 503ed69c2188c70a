//! Kubernetes quantities, exact: integers of 10⁻⁹ units, no floating point (`apimachinery/pkg/api/resource`).

use std::fmt;

/// An amount such as `500m`, `1Gi` or `2e3`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    /// 10⁻⁹ units; `i128::MIN` for text that is no quantity.
    nanos: i128,
    /// How it was written, for canonical printing.
    format: Format,
}

/// How a quantity was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Suffixes n u m k M G T P E.
    Decimal,
    /// Suffixes Ki Mi Gi Ti Pi Ei.
    Binary,
    /// An exponent: `1e3`.
    Exponent,
}

/// One unit in nanos.
pub const UNIT: i128 = 1_000_000_000;
/// The server caps amounts at ±(2⁶³−1) units.
const CAP: i128 = (i64::MAX as i128) * UNIT;

/// Text that is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a quantity: expected a number with an optional suffix, such as 500m, 1Gi or 2e3")]
pub struct NotAQuantity;

impl Quantity {
    /// What stands in a fact for text that is no quantity: has no value, equals only itself.
    pub const UNREADABLE: Self = Self { nanos: i128::MIN, format: Format::Decimal };
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, format: Format::Decimal };

    /// An amount in nanos.
    pub const fn from_nanos(nanos: i128, format: Format) -> Self {
        Self { nanos, format }
    }

    /// The amount in 10⁻⁹ units; none when it was unreadable.
    pub const fn nanos(self) -> Option<i128> {
        if self.nanos == i128::MIN { None } else { Some(self.nanos) }
    }

    /// How it was written.
    pub const fn format(self) -> Format {
        self.format
    }

    /// Reads a quantity. O(length); text over 64 characters is refused.
    pub fn parse(text: &str) -> Result<Self, NotAQuantity> {
        if text.len() > 64 {
            return Err(NotAQuantity);
        }
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..)),
            Some(b'+') => (false, text.get(1..)),
            _ => (false, Some(text)),
        };
        let rest = rest.ok_or(NotAQuantity)?;
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at_checked(end).ok_or(NotAQuantity)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return Err(NotAQuantity);
        }
        let (format, multiplier, exponent) = scale(suffix).ok_or(NotAQuantity)?;
        let nanos = magnitude(whole, fraction, multiplier, exponent);
        Ok(Self { nanos: if negative { -nanos } else { nanos }, format })
    }

    /// Reads a quantity, or yields [`Self::UNREADABLE`].
    pub fn read(text: &str) -> Self {
        Self::parse(text).unwrap_or(Self::UNREADABLE)
    }
}

/// Suffix to (format, binary multiplier, decimal exponent).
fn scale(suffix: &str) -> Option<(Format, i128, i32)> {
    const DECIMAL: [(&str, i32); 10] =
        [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
    const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
    if let Some((_, exponent)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((Format::Decimal, 1, *exponent));
    }
    if let Some((_, bits)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        return Some((Format::Binary, 1_i128 << bits, 0));
    }
    let digits = suffix.strip_prefix(['e', 'E'])?;
    let exponent: i32 = digits.parse().ok().filter(|_| digits.len() <= 10)?;
    Some((Format::Exponent, 1, exponent))
}

/// |value| in nanos, rounded away from zero, capped. The binary factor is applied before the decimal shift.
fn magnitude(whole: &str, fraction: &str, multiplier: i128, exponent: i32) -> i128 {
    let digits: String = whole.chars().chain(fraction.chars()).collect();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return 0;
    }
    let shift = i64::from(exponent) + 9 - fraction.len() as i64;
    // beyond 30 significant digits before the point the cap holds; beyond 40 after it only rounding up is left
    if digits.len() as i64 + shift > 30 {
        return CAP;
    }
    if digits.len() as i64 + shift < -20 {
        return 1;
    }
    exact(digits, multiplier, shift)
}

/// digits × multiplier × 10^shift, rounded up, capped; exact by long arithmetic over base 10⁹ limbs only where i128 is too small.
fn exact(digits: &str, multiplier: i128, shift: i64) -> i128 {
    let mut value: Vec<u32> = digits.bytes().map(|b| u32::from(b - b'0')).collect();
    let mut carry = 0_i128;
    for digit in value.iter_mut().rev() {
        let product = i128::from(*digit) * multiplier + carry;
        *digit = (product % 10) as u32;
        carry = product / 10;
    }
    let mut all: Vec<u32> = carry.to_string().bytes().map(|b| u32::from(b - b'0')).collect();
    all.extend(value);
    if shift >= 0 {
        all.extend(std::iter::repeat_n(0, shift as usize));
    }
    let cut = usize::try_from(-shift).unwrap_or(0);
    let kept = all.len().saturating_sub(cut);
    let lost = all.iter().skip(kept).any(|d| *d != 0) || (cut > all.len() && all.iter().any(|d| *d != 0));
    let mut nanos = 0_i128;
    for digit in all.iter().take(kept) {
        nanos = nanos.saturating_mul(10).saturating_add(i128::from(*digit));
        if nanos > CAP {
            return CAP;
        }
    }
    (nanos + i128::from(lost)).min(CAP)
}

impl fmt::Display for Quantity {
    /// The canonical form the API server would write: the largest suffix that leaves no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(nanos) = self.nanos() else { return f.write_str("unreadable") };
        let format = if self.format == Format::Binary && (nanos % UNIT != 0 || nanos.abs() < 1024 * UNIT) { Format::Decimal } else { self.format };
        if nanos == 0 {
            return f.write_str("0");
        }
        match format {
            Format::Binary => {
                let units = nanos / UNIT;
                let steps = (units.trailing_zeros() / 10).min(6);
                let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].get(steps as usize).copied().unwrap_or("");
                write!(f, "{}{suffix}", units >> (steps * 10))
            }
            Format::Decimal | Format::Exponent => {
                let (mut value, mut exponent) = (nanos, -9);
                while value % 1000 == 0 && exponent < 18 {
                    value /= 1000;
                    exponent += 3;
                }
                if format == Format::Exponent && exponent != 0 {
                    return write!(f, "{value}e{exponent}");
                }
                let suffix = match exponent {
                    -9 => "n",
                    -6 => "u",
                    -3 => "m",
                    3 => "k",
                    6 => "M",
                    9 => "G",
                    12 => "T",
                    15 => "P",
                    18 => "E",
                    _ => "",
                };
                write!(f, "{value}{suffix}")
            }
        }
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Quantity {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_amounts_are_equal_whatever_the_spelling() {
        for (a, b) in [("1", "1000m"), ("1Ki", "1024"), ("123Mi", "128974848"), ("5E", "5e18"), ("0.5", "500m"), (".5", "0.5"), ("5.", "5")] {
            assert_eq!(Quantity::parse(a).unwrap().nanos(), Quantity::parse(b).unwrap().nanos(), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", ".", "-", "Ki", "1.2.3", "1 Gi", "1gi", "+-5", "1e", "0x10", "1KiB", "∞", &"9".repeat(65)] {
            assert_eq!(Quantity::parse(text), Err(NotAQuantity), "{text}");
        }
    }

    #[test]
    fn printed_as_the_server_would() {
        for (text, canonical) in
            [("1024Mi", "1Gi"), ("1000m", "1"), ("1500m", "1500m"), ("0.5Gi", "512Mi"), ("100000k", "100M"), ("12e6", "12e6"), ("-1Ki", "-1Ki"), ("0", "0"), ("1.5", "1500m")]
        {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn absurd_amounts_are_capped_not_wrapped() {
        assert_eq!(Quantity::parse("9e999999999").unwrap().nanos(), Some(CAP));
        assert_eq!(Quantity::parse("-16Ei").unwrap().nanos(), Some(-CAP));
        assert_eq!(Quantity::parse("1e-999999").unwrap().nanos(), Some(1));
        assert_eq!(Quantity::parse("9007199254740993").unwrap().nanos(), Some(9_007_199_254_740_993 * UNIT));
    }
}
