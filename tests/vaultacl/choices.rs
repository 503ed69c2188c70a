//! Where made-up things get their decisions from: bytes, so that a random generator and proptest's shrinking serve alike. When they run
//! out every answer is the first.

pub struct Choices<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// One of `n`, at most 256.
    pub fn pick(&mut self, n: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) * n / 256
    }

    pub fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.pick(all.len())]
    }

    /// True once in `n`; never when the bytes have run out.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.pick(n) == n - 1
    }

    /// Some of them, in order, each with the chance of one in `n`.
    pub fn some<T: Copy>(&mut self, all: &[T], n: usize) -> Vec<T> {
        all.iter().copied().filter(|_| self.once_in(n)).collect()
    }
}

/// Bytes of a seed.
pub fn bytes(seed: u64, many: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..many).map(|_| rng.u8(..)).collect()
}
