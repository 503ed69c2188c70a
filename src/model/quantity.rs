//! Kubernetes quantities, exact: integers of 10⁻⁹ units, no floating point (`apimachinery/pkg/api/resource`).

use std::cmp::Ordering;
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

    /// Reads a quantity as the API server does, with three differences that no server shows, because it stores canonical text: text over 64
    /// characters and text without any digit (which apimachinery reads as zero) are refused, and decimal amounts are capped like binary ones.
    /// What is finer than a nano is rounded away from zero. O(length).
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

    /// Compares amounts whatever their spelling; none when either is unreadable. (`==` also compares how they were written.)
    pub fn compare(self, other: Self) -> Option<Ordering> {
        Some(self.nanos()?.cmp(&other.nanos()?))
    }

    /// Whether this is at most `other`; none when either is unreadable.
    pub fn at_most(self, other: Self) -> Option<bool> {
        self.compare(other).map(Ordering::is_le)
    }

    /// The sum, written as the first unless that is zero, as apimachinery does; none when either is unreadable or the sum too large.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let nanos = self.nanos()?.checked_add(other.nanos()?).filter(|sum| *sum != i128::MIN)?;
        Some(Self { nanos, format: if self.nanos == 0 { other.format } else { self.format } })
    }

    /// The difference, written as in [`Self::checked_add`].
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let negated = Self { nanos: other.nanos()?.checked_neg()?, format: other.format };
        self.checked_add(negated)
    }

    /// The amount so many times; none when unreadable or too large.
    pub fn checked_mul(self, times: i64) -> Option<Self> {
        let nanos = self.nanos()?.checked_mul(i128::from(times)).filter(|product| *product != i128::MIN)?;
        Some(Self { nanos, ..self })
    }

    /// How many whole times `each` goes into this: nothing for what is used up; none when either is unreadable or `each` is not positive.
    pub fn times(self, each: Self) -> Option<u64> {
        let (whole, each) = (self.nanos()?, each.nanos()?);
        if each <= 0 {
            return None;
        }
        Some(u64::try_from((whole / each).max(0)).unwrap_or(u64::MAX))
    }

    /// This amount of `whole` in thousandths, rounded down, at most `u32::MAX`; none when either is unreadable. Anything of nothing is full.
    pub fn permille_of(self, whole: Self) -> Option<u32> {
        let (part, whole) = (self.nanos()?.max(0), whole.nanos()?);
        if whole <= 0 {
            return Some(1000);
        }
        Some(u32::try_from(part.checked_mul(1000)? / whole).unwrap_or(u32::MAX))
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

/// digits × multiplier × 10^shift in nanos, away from zero, capped. Decimal digit by decimal digit, because 64 digits times 2⁶⁰ fit no
/// machine integer; a quantity has a handful of digits, so it costs nothing.
fn exact(digits: &str, multiplier: i128, shift: i64) -> i128 {
    let mut carry = 0_i128;
    let mut product: Vec<u8> = digits
        .bytes()
        .rev()
        .map(|digit| {
            let sum = i128::from(digit - b'0') * multiplier + carry;
            carry = sum / 10;
            (sum % 10) as u8
        })
        .collect();
    while carry > 0 {
        product.push((carry % 10) as u8);
        carry /= 10;
    }
    // least significant digit first: a negative shift drops from the front
    let dropped = usize::try_from(-shift).unwrap_or(0);
    let lost = product.iter().take(dropped).any(|digit| *digit != 0);
    let kept = product.iter().skip(dropped).rev().copied();
    let zeros = std::iter::repeat_n(0_u8, usize::try_from(shift).unwrap_or(0));
    let nanos = kept.chain(zeros).fold(0_i128, |sum, digit| sum.saturating_mul(10).saturating_add(i128::from(digit)));
    nanos.saturating_add(i128::from(lost)).min(CAP)
}

impl fmt::Display for Quantity {
    /// The canonical form the API server would write: the largest suffix that leaves no fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(nanos) = self.nanos() else { return f.write_str("unreadable") };
        let format =
            if self.format == Format::Binary && (nanos % UNIT != 0 || nanos.abs() < 1024 * UNIT) { Format::Decimal } else { self.format };
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
mod tests;
