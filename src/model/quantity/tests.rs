//! Quantities against tables and an independent model.

use super::*;

#[test]
fn equal_amounts_are_equal_whatever_the_spelling() {
    for (a, b) in [("1", "1000m"), ("1Ki", "1024"), ("123Mi", "128974848"), ("5E", "5e18"), ("0.5", "500m"), (".5", "0.5"), ("5.", "5")] {
        assert_eq!(Quantity::parse(a).unwrap().nanos(), Quantity::parse(b).unwrap().nanos(), "{a} {b}");
    }
}

#[test]
fn every_suffix_has_its_size() {
    let table: [(&str, i128); 16] = [
        ("1n", 1),
        ("1u", 1_000),
        ("1m", 1_000_000),
        ("1", UNIT),
        ("1k", 1_000 * UNIT),
        ("1M", 1_000_000 * UNIT),
        ("1G", 1_000_000_000 * UNIT),
        ("1T", 1_000_000_000_000 * UNIT),
        ("1P", 1_000_000_000_000_000 * UNIT),
        ("1E", 1_000_000_000_000_000_000 * UNIT),
        ("1Ki", UNIT << 10),
        ("1Mi", UNIT << 20),
        ("1Gi", UNIT << 30),
        ("1Ti", UNIT << 40),
        ("1Pi", UNIT << 50),
        ("1Ei", UNIT << 60),
    ];
    for (text, nanos) in table {
        assert_eq!(Quantity::parse(text).unwrap().nanos(), Some(nanos), "{text}");
        assert_eq!(Quantity::parse(&format!("-{text}")).unwrap().nanos(), Some(-nanos), "-{text}");
    }
}

#[test]
fn exa_and_exponent_are_told_apart() {
    for (text, same, format) in [
        ("5E", "5000000000000000000", Format::Decimal),
        ("5E3", "5000", Format::Exponent),
        ("5e3", "5000", Format::Exponent),
        ("5e+3", "5000", Format::Exponent),
        ("5e-3", "5m", Format::Exponent),
        ("5E0", "5", Format::Exponent),
        ("+1", "1", Format::Decimal),
        ("1.", "1", Format::Decimal),
        ("1.G", "1G", Format::Decimal),
        ("007", "7", Format::Decimal),
        ("1.500000000000", "1500m", Format::Decimal),
        ("-0", "0", Format::Decimal),
    ] {
        let read = Quantity::parse(text).unwrap();
        assert_eq!(read.compare(Quantity::parse(same).unwrap()), Some(Ordering::Equal), "{text}");
        assert_eq!(read.format(), format, "{text}");
    }
}

#[test]
fn too_fine_amounts_are_rounded_away_from_zero() {
    for (text, nanos) in
        [("0.1n", 1), ("-0.1n", -1), ("1.0000000001", UNIT + 1), ("1.0000000000", UNIT), ("0.00000000001Ki", 11), ("1e-99", 1)]
    {
        assert_eq!(Quantity::parse(text).unwrap().nanos(), Some(nanos), "{text}");
    }
}

#[test]
fn arithmetic_is_exact_and_never_wraps() {
    let read = |text| Quantity::parse(text).unwrap();
    assert_eq!(read("1Gi").checked_sub(read("128Mi")).unwrap().to_string(), "896Mi");
    assert_eq!(read("0").checked_add(read("1Gi")).unwrap().to_string(), "1Gi");
    assert_eq!(read("50m").checked_mul(20).unwrap().to_string(), "1");
    assert_eq!(read("1").times(read("50m")), Some(20));
    assert_eq!(read("-1").times(read("50m")), Some(0), "what is overdrawn fits nothing");
    assert_eq!(read("1").times(read("0")), None);
    assert_eq!(read("950m").permille_of(read("1")), Some(950));
    assert_eq!(read("0").permille_of(read("0")), Some(1000));
    assert_eq!(Quantity::from_nanos(i128::MAX, Format::Decimal).checked_add(read("1")), None);
    assert_eq!(Quantity::from_nanos(i128::MAX, Format::Decimal).checked_mul(2), None);
    for broken in [Quantity::UNREADABLE.checked_add(read("1")), read("1").checked_sub(Quantity::UNREADABLE)] {
        assert_eq!(broken, None);
    }
    assert_eq!(Quantity::UNREADABLE.at_most(read("1")), None);
}

#[test]
fn what_is_no_quantity_is_refused() {
    for text in ["", ".", "-", "Ki", "1.2.3", "1 Gi", "1gi", "+-5", "1e", "0x10", "1KiB", "∞", &"9".repeat(65)] {
        assert_eq!(Quantity::parse(text), Err(NotAQuantity), "{text}");
    }
}

#[test]
fn printed_as_the_server_would() {
    for (text, canonical) in [
        ("1024Mi", "1Gi"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5Gi", "512Mi"),
        ("0.5Ki", "512"),
        ("1000Ki", "1000Ki"),
        ("1.5Ki", "1536"),
        ("2Ki", "2Ki"),
        ("0.3Ki", "307200m"),
        ("1.0001Ki", "1024102400u"),
        ("100000k", "100M"),
        ("12e6", "12e6"),
        ("1e2", "100"),
        ("1.5e0", "1500e-3"),
        ("-1Ki", "-1Ki"),
        ("-512Ki", "-512Ki"),
        ("0", "0"),
        ("0Gi", "0"),
        ("1.5", "1500m"),
        ("1.1n", "2n"),
    ] {
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

mod against_a_rational_model {
    use proptest::prelude::*;

    use super::super::*;

    /// Natural numbers as decimal digits, least significant first: shares nothing with the code under test.
    fn times(number: &[u32], small: u32) -> Vec<u32> {
        let (mut out, mut carry) = (Vec::new(), 0);
        for digit in number {
            let sum = digit * small + carry;
            out.push(sum % 10);
            carry = sum / 10;
        }
        while carry > 0 {
            out.push(carry % 10);
            carry /= 10;
        }
        out
    }

    /// Numerator over 10^`places` to nanos, rounded up, capped.
    fn nanos(mut numerator: Vec<u32>, places: i64) -> i128 {
        let mut places = places - 9;
        while places < 0 {
            numerator.insert(0, 0);
            places += 1;
        }
        let mut up = false;
        while places > 0 && !numerator.is_empty() {
            up |= numerator.remove(0) != 0;
            places -= 1;
        }
        let mut value = num(&numerator);
        if up {
            value = value.saturating_add(1);
        }
        value.min(CAP)
    }

    fn num(digits: &[u32]) -> i128 {
        digits.iter().rev().fold(0_i128, |sum, d| sum.saturating_mul(10).saturating_add(i128::from(*d)))
    }

    proptest! {
        #[test]
        fn any_number_with_any_suffix(
            whole in "[0-9]{0,22}",
            fraction in "[0-9]{0,22}",
            negative: bool,
            suffix in prop::sample::select(vec!["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e"]),
            exponent in -30_i64..30,
        ) {
            prop_assume!(!whole.is_empty() || !fraction.is_empty());
            let suffix = if suffix == "e" { format!("e{exponent}") } else { suffix.to_owned() };
            let text = format!("{}{whole}.{fraction}{suffix}", if negative { "-" } else { "" });
            let digits: Vec<u32> = format!("{whole}{fraction}").chars().rev().filter_map(|c| c.to_digit(10)).collect();
            let decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"].iter().position(|s| *s == suffix).map(|i| i as i64 * 3 - 9);
            let binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().position(|s| *s == suffix);
            let (numerator, shift) = match (decimal, binary) {
                (Some(power), _) => (digits, power),
                (None, Some(steps)) => ((0..steps * 10).fold(digits, |number, _| times(&number, 2)), 0),
                (None, None) => (digits, exponent),
            };
            let expected = nanos(numerator, fraction.len() as i64 - shift);
            let read = Quantity::parse(&text).unwrap();
            prop_assert_eq!(read.nanos(), Some(if negative { -expected } else { expected }), "{}", text);
            // the canonical form says the same and is its own canonical form
            let again = Quantity::parse(&read.to_string()).unwrap();
            prop_assert_eq!(again.nanos(), read.nanos(), "{} as {}", text, read);
            prop_assert_eq!(again.to_string(), read.to_string());
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,80}") {
            let _ = Quantity::read(&text).to_string();
        }
    }
}
