//! Which c-ares this is.

/// The version of the c-ares in use, as `1.34.5` (`ares_version`).
pub fn version() -> &'static str {
    c_ares::version().0
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_three_numbers() {
        let numbers: Vec<u32> = super::version().split('.').map(|n| n.parse().unwrap()).collect();
        assert_eq!((numbers.len(), numbers[0]), (3, 1), "{numbers:?}");
    }
}
