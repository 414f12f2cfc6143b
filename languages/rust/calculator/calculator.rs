//! Shows numbers, strings and refusals.
#![no_std]

use ostrom::*;

const ADD: u32 = 0x771602f7;
const SUBTRACT: u32 = 0x3ef5e445;
const MULTIPLY: u32 = 0x165c4a16;
const DIVIDE: u32 = 0xf88e9fbf;
const LESS: u32 = 0x2d738965;
const INVERT: u32 = 0x35f85e91;
const HALF: u32 = 0x4cd1e1db;
const ECHO: u32 = 0xf15da729;

const MAX_TEXT: usize = 1024;

fn on_deploy() {
    refuse_value();
}

fn numbers() -> (U256, U256) {
    let arguments = Arguments::of_function(2);
    (arguments.u256(0), arguments.u256(1))
}

fn on_call() {
    refuse_value();
    match selector() {
        ADD => {
            let (a, b) = numbers();
            return_word(&(&a + &b))
        }
        SUBTRACT => {
            let (a, b) = numbers();
            return_word(&(&a - &b))
        }
        MULTIPLY => {
            let (a, b) = numbers();
            return_word(&a.wrapping_mul(&b))
        }
        DIVIDE => {
            let (a, b) = numbers();
            match a.checked_div(&b) {
                Some(quotient) => return_word(&quotient),
                None => revert_panic(0x12),
            }
        }
        LESS => {
            let (a, b) = numbers();
            return_word(a < b)
        }
        INVERT => return_word(!Arguments::of_function(1).bool(0)),
        HALF => {
            let value = Arguments::of_function(1).u64(0);
            if value % 2 != 0 {
                revert_string("an odd number has no half that is a whole number")
            }
            return_word(value / 2)
        }
        ECHO => {
            let mut text = [0; MAX_TEXT];
            return_bytes(Arguments::of_function(1).bytes(0, &mut text), &mut [0; 64 + MAX_TEXT])
        }
        _ => revert_empty(),
    }
}

contract!(on_deploy, on_call);
