//! Contracts in Rust for Ostrom: one crate without dependencies, for wasm32-unknown-unknown; build.sh has the commands.
//!
//! The ABI, the layout of storage, events and revert data are Solidity's, so that nobody who calls a contract can tell what
//! it was written in. Words are 32 bytes, big-endian, in memory and for the host; a `U256` is four limbs, to calculate with.
//! Nothing here allocates. What cannot be decoded reverts with no data, as in Solidity.
#![no_std]

use core::cmp::Ordering;
use core::panic::PanicInfo;

/// Host calls, as core/vm/contract-host/host-calls.ts defines them.
pub mod host {
    #[link(wasm_import_module = "ostrom")]
    extern "C" {
        pub fn input_size() -> u32;
        pub fn input_copy(to: *mut u8, offset: u32, size: u32);
        pub fn output(from: *const u8, size: u32);
        pub fn exit(status: u32);
        pub fn address(to: *mut u8);
        pub fn caller(to: *mut u8);
        pub fn value(to: *mut u8);
        pub fn gas_left() -> u64;

        pub fn storage_load(key: *const u8, to: *mut u8);
        pub fn storage_store(key: *const u8, value: *const u8);
        pub fn transient_load(key: *const u8, to: *mut u8);
        pub fn transient_store(key: *const u8, value: *const u8);
        pub fn log(data: *const u8, size: u32, topics: *const u8, topic_count: u32);

        pub fn call(gas: u64, to: *const u8, value: *const u8, input: *const u8, size: u32) -> u32;
        pub fn delegate_call(gas: u64, to: *const u8, input: *const u8, size: u32) -> u32;
        pub fn static_call(gas: u64, to: *const u8, input: *const u8, size: u32) -> u32;
        pub fn create(value: *const u8, code: *const u8, size: u32, to: *mut u8) -> u32;
        pub fn create2(value: *const u8, code: *const u8, size: u32, salt: *const u8, to: *mut u8) -> u32;
        pub fn return_data_size() -> u32;
        pub fn return_data_copy(to: *mut u8, offset: u32, size: u32);
        pub fn self_destruct(beneficiary: *const u8);

        pub fn balance(of: *const u8, to: *mut u8);
        pub fn code_size(of: *const u8) -> u32;
        pub fn code_hash(of: *const u8, to: *mut u8);
        pub fn code_copy(of: *const u8, to: *mut u8, offset: u32, size: u32);

        pub fn origin(to: *mut u8);
        pub fn gas_price(to: *mut u8);
        pub fn blob_hash(index: u32, to: *mut u8);
        pub fn block_number() -> u64;
        pub fn timestamp() -> u64;
        pub fn gas_limit() -> u64;
        pub fn chain_id() -> u64;
        pub fn coinbase(to: *mut u8);
        pub fn prev_randao(to: *mut u8);
        pub fn base_fee(to: *mut u8);
        pub fn blob_base_fee(to: *mut u8);
        pub fn block_hash(number: u64, to: *mut u8);

        pub fn keccak256(from: *const u8, size: u32, to: *mut u8);
        pub fn u256_mul(a: *const u8, b: *const u8, to: *mut u8);
        pub fn u256_div(a: *const u8, b: *const u8, to: *mut u8);
        pub fn u256_mod(a: *const u8, b: *const u8, to: *mut u8);
        pub fn u256_addmod(a: *const u8, b: *const u8, modulus: *const u8, to: *mut u8);
        pub fn u256_mulmod(a: *const u8, b: *const u8, modulus: *const u8, to: *mut u8);
        pub fn u256_exp(base: *const u8, exponent: *const u8, to: *mut u8);
    }
}

// ---- Words, addresses, numbers ----

/// 32 bytes, big-endian.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Word(pub [u8; 32]);

impl Word {
    pub const ZERO: Word = Word([0; 32]);

    pub const fn of_u64(value: u64) -> Word {
        let bytes = value.to_be_bytes();
        let mut word = [0; 32];
        let mut index = 0;
        while index < 8 {
            word[24 + index] = bytes[index];
            index += 1;
        }
        Word(word)
    }

    /// For events and other constants: `Word::of_hex("ddf2...")`, 64 digits, when the program is compiled.
    pub const fn of_hex(digits: &str) -> Word {
        let digits = digits.as_bytes();
        assert!(digits.len() == 64);
        let mut word = [0; 32];
        let mut index = 0;
        while index < 32 {
            word[index] = hex_digit(digits[2 * index]) << 4 | hex_digit(digits[2 * index + 1]);
            index += 1;
        }
        Word(word)
    }

    #[inline(never)]
    pub fn is_zero(&self) -> bool {
        let [a, b, c, d] = self.lanes();
        a | b | c | d == 0
    }

    /// As they lie in memory, the most significant first.
    fn lanes(&self) -> &[u64; 4] {
        unsafe { &*(self as *const Word).cast() }
    }
}

const fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!(),
    }
}

/// 20 bytes, kept as the ABI has them: after 12 zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Address(Word);

impl Address {
    pub const ZERO: Address = Address(Word::ZERO);

    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// The 20 bytes, for the host.
    pub fn as_ptr(&self) -> *const u8 {
        self.0 .0[12..].as_ptr()
    }

    /// @param write gets a pointer to the 20 bytes.
    fn written_by(write: unsafe extern "C" fn(*mut u8)) -> Address {
        let mut address = Address::ZERO;
        unsafe { write(address.0 .0[12..].as_mut_ptr()) };
        address
    }
}

/// The least significant limb first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct U256(pub [u64; 4]);

impl U256 {
    pub const ZERO: U256 = U256([0; 4]);
    pub const MAX: U256 = U256([u64::MAX; 4]);

    /// The sum modulo 2^256, and whether that mattered.
    #[inline(never)]
    pub fn overflowing_add(&self, other: &U256) -> (U256, bool) {
        let mut sum = [0; 4];
        let mut carry = false;
        for index in 0..4 {
            let (limb, first) = self.0[index].overflowing_add(other.0[index]);
            let (limb, second) = limb.overflowing_add(carry as u64);
            sum[index] = limb;
            carry = first | second;
        }
        (U256(sum), carry)
    }

    /// The difference modulo 2^256, and whether that mattered.
    #[inline(never)]
    pub fn overflowing_sub(&self, other: &U256) -> (U256, bool) {
        let mut difference = [0; 4];
        let mut borrow = false;
        for index in 0..4 {
            let (limb, first) = self.0[index].overflowing_sub(other.0[index]);
            let (limb, second) = limb.overflowing_sub(borrow as u64);
            difference[index] = limb;
            borrow = first | second;
        }
        (U256(difference), borrow)
    }

    pub fn is_zero(&self) -> bool {
        *self == U256::ZERO
    }

    /// Modulo 2^256.
    pub fn wrapping_mul(&self, other: &U256) -> U256 {
        self.by_host(other, host::u256_mul)
    }

    /// None if the divisor is zero.
    pub fn checked_div(&self, other: &U256) -> Option<U256> {
        (!other.is_zero()).then(|| self.by_host(other, host::u256_div))
    }

    /// None if the divisor is zero.
    pub fn checked_rem(&self, other: &U256) -> Option<U256> {
        (!other.is_zero()).then(|| self.by_host(other, host::u256_mod))
    }

    fn by_host(&self, other: &U256, operation: unsafe extern "C" fn(*const u8, *const u8, *mut u8)) -> U256 {
        let (a, b, mut result) = (Word::from(self), Word::from(other), Word::ZERO);
        unsafe { operation(a.0.as_ptr(), b.0.as_ptr(), result.0.as_mut_ptr()) };
        U256::from(&result)
    }
}

impl core::ops::Add for &U256 {
    type Output = U256;
    /// As Solidity adds: overflow is a panic (0x11).
    fn add(self, other: &U256) -> U256 {
        match self.overflowing_add(other) {
            (sum, false) => sum,
            _ => revert_panic(0x11),
        }
    }
}

impl core::ops::Sub for &U256 {
    type Output = U256;
    fn sub(self, other: &U256) -> U256 {
        match self.overflowing_sub(other) {
            (difference, false) => difference,
            _ => revert_panic(0x11),
        }
    }
}

impl Ord for U256 {
    fn cmp(&self, other: &U256) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for U256 {
    fn partial_cmp(&self, other: &U256) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<u64> for U256 {
    fn from(value: u64) -> U256 {
        U256([value, 0, 0, 0])
    }
}

/// Between a word and its limbs: the 32 bytes in the other order.
#[inline(never)]
fn reversed(lanes: &[u64; 4]) -> [u64; 4] {
    [swapped(lanes[3]), swapped(lanes[2]), swapped(lanes[1]), swapped(lanes[0])]
}

/// One place for what takes the machine thirty instructions.
#[inline(never)]
fn swapped(lane: u64) -> u64 {
    lane.swap_bytes()
}

impl From<&Word> for U256 {
    fn from(word: &Word) -> U256 {
        U256(reversed(word.lanes()))
    }
}

impl From<&U256> for Word {
    fn from(value: &U256) -> Word {
        unsafe { core::mem::transmute(reversed(&value.0)) }
    }
}

impl From<&Address> for Word {
    fn from(address: &Address) -> Word {
        address.0
    }
}

impl AsRef<Word> for Word {
    fn as_ref(&self) -> &Word {
        self
    }
}

impl AsRef<Word> for Address {
    fn as_ref(&self) -> &Word {
        &self.0
    }
}

impl From<u64> for Word {
    fn from(value: u64) -> Word {
        Word::of_u64(value)
    }
}

impl From<bool> for Word {
    fn from(value: bool) -> Word {
        Word::of_u64(value as u64)
    }
}

// ---- Ending ----

fn finish(status: u32, data: &[u8]) -> ! {
    unsafe {
        host::output(data.as_ptr(), data.len() as u32);
        host::exit(status);
    }
    core::arch::wasm32::unreachable()
}

#[inline(never)]
pub fn return_data(data: &[u8]) -> ! {
    finish(0, data)
}

pub fn return_word(value: impl Into<Word>) -> ! {
    return_data(&value.into().0)
}

/// For `string` and `bytes`. The buffer must hold 64 bytes more than the data, rounded up to whole words.
pub fn return_bytes(data: &[u8], buffer: &mut [u8]) -> ! {
    let size = put_bytes(buffer, data);
    return_data(&buffer[..size])
}

/// For `string` and `bytes` of at most 192 bytes.
#[inline(never)]
pub fn return_string(text: &str) -> ! {
    return_bytes(text.as_bytes(), &mut [0; 256])
}

#[inline(never)]
pub fn revert_data(data: &[u8]) -> ! {
    finish(1, data)
}

pub fn revert_empty() -> ! {
    revert_data(&[])
}

pub const MAX_ERROR_ARGUMENTS: usize = 8;

/// A custom error with arguments of static types. `selectors.ts` prints selectors.
#[inline(never)]
pub fn revert_error(selector: u32, arguments: &[Word]) -> ! {
    let mut data = [0; 4 + 32 * MAX_ERROR_ARGUMENTS];
    data[..4].copy_from_slice(&selector.to_be_bytes());
    for (place, argument) in data[4..].chunks_exact_mut(32).zip(arguments) {
        place.copy_from_slice(&argument.0);
    }
    revert_data(&data[..4 + 32 * arguments.len().min(MAX_ERROR_ARGUMENTS)])
}

/// Error(string), as `require(condition, text)` reverts; at most 160 bytes of text.
pub fn revert_string(text: &str) -> ! {
    let mut data = [0; 4 + 64 + 160];
    data[..4].copy_from_slice(&0x08c379a0u32.to_be_bytes());
    let size = put_bytes(&mut data[4..], text.as_bytes());
    revert_data(&data[..4 + size])
}

/// Panic(uint256), as Solidity's checks end: 0x01 assert, 0x11 overflow, 0x12 division by zero, 0x32 index.
#[inline(never)]
pub fn revert_panic(code: u64) -> ! {
    revert_error(0x4e487b71, &[Word::of_u64(code)])
}

/// What panics in Rust is what `assert` is in Solidity.
#[panic_handler]
fn on_panic(_: &PanicInfo) -> ! {
    revert_panic(0x01)
}

/// Writes the encoding of one `bytes` or `string` that stands alone. @returns its size.
fn put_bytes(to: &mut [u8], data: &[u8]) -> usize {
    let padded = (data.len() + 31) / 32 * 32;
    to[..32].copy_from_slice(&Word::of_u64(32).0);
    to[32..64].copy_from_slice(&Word::of_u64(data.len() as u64).0);
    to[64..64 + data.len()].copy_from_slice(data);
    to[64 + data.len()..64 + padded].fill(0);
    64 + padded
}

// ---- Arguments ----

/// Arguments in the message's input: after the selector of a function, or from the start for a constructor.
#[derive(Clone, Copy)]
pub struct Arguments {
    start: u32,
    size: u32,
}

/// The function that is called. Reverts if the input has no selector.
pub fn selector() -> u32 {
    let mut bytes = [0; 4];
    unsafe {
        if host::input_size() < 4 {
            revert_empty()
        }
        host::input_copy(bytes.as_mut_ptr(), 0, 4);
    }
    u32::from_be_bytes(bytes)
}

impl Arguments {
    /// @param count words in the head: one for each argument, of dynamic types too.
    pub fn of_function(count: u32) -> Arguments {
        Arguments::read(4, count)
    }

    pub fn of_constructor(count: u32) -> Arguments {
        Arguments::read(0, count)
    }

    #[inline(never)]
    fn read(start: u32, count: u32) -> Arguments {
        let size = unsafe { host::input_size() };
        if size < start + 32 * count {
            revert_empty()
        }
        Arguments { start, size: size - start }
    }

    #[inline(never)]
    pub fn word(&self, index: u32) -> Word {
        let mut word = Word::ZERO;
        unsafe { host::input_copy(word.0.as_mut_ptr(), self.start + 32 * index, 32) };
        word
    }

    #[inline(never)]
    pub fn u256(&self, index: u32) -> U256 {
        U256::from(&self.word(index))
    }

    /// Reverts if the value is 2^64 or more, as Solidity does for uint64.
    pub fn u64(&self, index: u32) -> u64 {
        let U256([value, a, b, c]) = self.u256(index);
        if a | b | c != 0 {
            revert_empty()
        }
        value
    }

    pub fn bool(&self, index: u32) -> bool {
        match self.u64(index) {
            0 => false,
            1 => true,
            _ => revert_empty(),
        }
    }

    #[inline(never)]
    pub fn address(&self, index: u32) -> Address {
        let word = self.word(index);
        let [first, second, ..] = word.lanes();
        // In memory the 12 bytes come first, and this machine is little-endian: they are `first` and the low half of `second`.
        if *first | (*second << 32) != 0 {
            revert_empty()
        }
        Address(word)
    }

    /// Copies an argument of type `bytes` or `string` into a buffer. Reverts if it is longer than that.
    pub fn bytes<'a>(&self, index: u32, buffer: &'a mut [u8]) -> &'a [u8] {
        let offset = self.u64(index);
        if offset > self.size as u64 || self.size as u64 - offset < 32 {
            revert_empty()
        }
        let tail = Arguments { start: self.start + offset as u32, size: self.size - offset as u32 };
        let size = tail.u64(0);
        if size > tail.size as u64 - 32 || size > buffer.len() as u64 {
            revert_empty()
        }
        unsafe { host::input_copy(buffer.as_mut_ptr(), tail.start + 32, size as u32) };
        &buffer[..size as usize]
    }
}

// ---- The message ----

pub fn own_address() -> Address {
    Address::written_by(host::address)
}

#[inline(never)]
pub fn caller() -> Address {
    Address::written_by(host::caller)
}

pub fn call_value() -> Word {
    let mut value = Word::ZERO;
    unsafe { host::value(value.0.as_mut_ptr()) };
    value
}

/// What Solidity does in every function that is not payable.
pub fn refuse_value() {
    if !call_value().is_zero() {
        revert_empty()
    }
}

// ---- Storage, laid out as Solidity's ----

/// One word of storage.
#[derive(Clone, Copy)]
pub struct Slot(pub Word);

impl Slot {
    /// The state variable that is the `index`-th, if each takes a slot.
    pub const fn new(index: u64) -> Slot {
        Slot(Word::of_u64(index))
    }

    pub fn word(&self) -> Word {
        let mut value = Word::ZERO;
        unsafe { host::storage_load(self.0 .0.as_ptr(), value.0.as_mut_ptr()) };
        value
    }

    #[inline(never)]
    pub fn u256(&self) -> U256 {
        U256::from(&self.word())
    }

    pub fn set(&self, value: &Word) {
        unsafe { host::storage_store(self.0 .0.as_ptr(), value.0.as_ptr()) };
    }

    #[inline(never)]
    pub fn set_u256(&self, value: &U256) {
        self.set(&Word::from(value))
    }
}

/// A mapping from words of any type; a mapping in a mapping is `mapping.inner(first).at(second)`.
#[derive(Clone, Copy)]
pub struct Mapping(pub Slot);

impl Mapping {
    pub const fn new(index: u64) -> Mapping {
        Mapping(Slot::new(index))
    }

    pub fn at(&self, key: impl AsRef<Word>) -> Slot {
        Slot(keccak256_pair(key.as_ref(), &self.0 .0))
    }

    pub fn inner(&self, key: impl AsRef<Word>) -> Mapping {
        Mapping(self.at(key))
    }
}

#[inline(never)]
fn keccak256_pair(first: &Word, second: &Word) -> Word {
    let pair = [*first, *second];
    let mut hash = Word::ZERO;
    unsafe { host::keccak256(pair.as_ptr().cast(), 64, hash.0.as_mut_ptr()) };
    hash
}

pub fn keccak256(data: &[u8]) -> Word {
    let mut hash = Word::ZERO;
    unsafe { host::keccak256(data.as_ptr(), data.len() as u32, hash.0.as_mut_ptr()) };
    hash
}

// ---- Events ----

/// @param topics at most four, the event's signature first. @param data ABI-encoded.
pub fn emit(topics: &[Word], data: &[u8]) {
    unsafe { host::log(data.as_ptr(), data.len() as u32, topics.as_ptr().cast(), topics.len() as u32) }
}

// ---- Other contracts ----

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CallStatus {
    Success,
    Revert,
    Fault,
}

fn call_status(status: u32) -> CallStatus {
    match status {
        0 => CallStatus::Success,
        1 => CallStatus::Revert,
        _ => CallStatus::Fault,
    }
}

/// With all the gas that may be passed on.
pub fn call(target: &Address, value: &Word, data: &[u8]) -> CallStatus {
    call_status(unsafe {
        host::call(u64::MAX, target.as_ptr(), value.0.as_ptr(), data.as_ptr(), data.len() as u32)
    })
}

pub fn static_call(target: &Address, data: &[u8]) -> CallStatus {
    call_status(unsafe { host::static_call(u64::MAX, target.as_ptr(), data.as_ptr(), data.len() as u32) })
}

/// What the last call returned. Reverts if it is longer than the buffer.
pub fn returned_data(buffer: &mut [u8]) -> &[u8] {
    let size = unsafe { host::return_data_size() } as usize;
    if size > buffer.len() {
        revert_empty()
    }
    unsafe { host::return_data_copy(buffer.as_mut_ptr(), 0, size as u32) };
    &buffer[..size]
}

// ---- The contract's entries ----

/// `contract!(on_deploy, on_call);` once: two functions without parameters and results.
#[macro_export]
macro_rules! contract {
    ($on_deploy:path, $on_call:path) => {
        #[export_name = "deploy"]
        pub extern "C" fn ostrom_deploy() -> u32 {
            $on_deploy();
            0
        }

        #[export_name = "call"]
        pub extern "C" fn ostrom_call() -> u32 {
            $on_call();
            0
        }
    };
}
