//! Calls any contract with any data, and hands on what comes back: how contracts of different languages call each other.
//!
//!   function forward(address target, bytes data) payable returns (bytes)
//!   function query(address target, bytes data) view returns (bytes)
//!
//! Where the target reverts, so does this, with the same data.
#![no_std]

use ostrom::*;

const FORWARD: u32 = 0x6fadcf72;
const QUERY: u32 = 0xfd00430c;
const MAX_DATA: usize = 4096;

fn on_deploy() {
    refuse_value();
}

fn on_call() {
    let selector = selector();
    match selector {
        FORWARD => {}
        QUERY => refuse_value(),
        _ => revert_empty(),
    }
    let arguments = Arguments::of_function(2);
    let target = arguments.address(0);
    let mut buffer = [0; MAX_DATA];
    let data = arguments.bytes(1, &mut buffer);
    let status = match selector {
        QUERY => static_call(&target, data),
        _ => call(&target, &call_value(), data),
    };
    let returned = returned_data(&mut buffer);
    if status != CallStatus::Success {
        revert_data(returned)
    }
    return_bytes(returned, &mut [0; 64 + MAX_DATA])
}

contract!(on_deploy, on_call);
