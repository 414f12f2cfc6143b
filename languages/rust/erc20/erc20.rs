//! An ERC-20 token, as OpenZeppelin's behaves: its errors, its order of checks, its storage (slot 0: balances, 1: allowances,
//! 2: total supply). The constructor's argument is the initial supply, which goes to the deployer.
#![no_std]

use ostrom::*;

// node languages/tools/selectors.ts "name()" ...
const NAME: u32 = 0x06fdde03;
const SYMBOL: u32 = 0x95d89b41;
const DECIMALS: u32 = 0x313ce567;
const TOTAL_SUPPLY: u32 = 0x18160ddd;
const BALANCE_OF: u32 = 0x70a08231;
const TRANSFER: u32 = 0xa9059cbb;
const APPROVE: u32 = 0x095ea7b3;
const ALLOWANCE: u32 = 0xdd62ed3e;
const TRANSFER_FROM: u32 = 0x23b872dd;

const INSUFFICIENT_BALANCE: u32 = 0xe450d38c;
const INVALID_SENDER: u32 = 0x96c6fd1e;
const INVALID_RECEIVER: u32 = 0xec442f05;
const INSUFFICIENT_ALLOWANCE: u32 = 0xfb8f41b2;
const INVALID_APPROVER: u32 = 0xe602df05;
const INVALID_SPENDER: u32 = 0x94280d62;

static TRANSFER_EVENT: Word = Word::of_hex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
static APPROVAL_EVENT: Word = Word::of_hex("8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925");

static BALANCES: Mapping = Mapping::new(0);
static ALLOWANCES: Mapping = Mapping::new(1);
static SUPPLY: Slot = Slot::new(2);

fn allowance_slot(owner: &Address, spender: &Address) -> Slot {
    ALLOWANCES.inner(owner).at(spender)
}

#[inline(never)]
fn emit_amount(event: &Word, first: &Address, second: &Address, amount: &U256) {
    emit(&[*event, first.into(), second.into()], &Word::from(amount).0);
}

fn mint(to: &Address, amount: &U256) {
    if to.is_zero() {
        revert_error(INVALID_RECEIVER, &[to.into()])
    }
    let slot = BALANCES.at(to);
    SUPPLY.set_u256(&(&SUPPLY.u256() + amount));
    slot.set_u256(&(&slot.u256() + amount));
    emit_amount(&TRANSFER_EVENT, &Address::ZERO, to, amount);
}

#[inline(never)]
fn transfer(from: &Address, to: &Address, amount: &U256) {
    if from.is_zero() {
        revert_error(INVALID_SENDER, &[from.into()])
    }
    if to.is_zero() {
        revert_error(INVALID_RECEIVER, &[to.into()])
    }
    let source = BALANCES.at(from);
    let balance = source.u256();
    match balance.overflowing_sub(amount) {
        (rest, false) => source.set_u256(&rest),
        _ => revert_error(INSUFFICIENT_BALANCE, &[from.into(), (&balance).into(), amount.into()]),
    }
    let target = BALANCES.at(to);
    target.set_u256(&(&target.u256() + amount));
    emit_amount(&TRANSFER_EVENT, from, to, amount);
}

#[inline(never)]
fn set_allowance(owner: &Address, spender: &Address, amount: &U256) {
    if owner.is_zero() {
        revert_error(INVALID_APPROVER, &[owner.into()])
    }
    if spender.is_zero() {
        revert_error(INVALID_SPENDER, &[spender.into()])
    }
    allowance_slot(owner, spender).set_u256(amount);
}

/// The greatest amount means "without end", and stays.
fn spend_allowance(owner: &Address, spender: &Address, amount: &U256) {
    let allowance = allowance_slot(owner, spender).u256();
    if allowance == U256::MAX {
        return;
    }
    match allowance.overflowing_sub(amount) {
        (rest, false) => set_allowance(owner, spender, &rest),
        _ => revert_error(INSUFFICIENT_ALLOWANCE, &[spender.into(), (&allowance).into(), amount.into()]),
    }
}

fn on_deploy() {
    refuse_value();
    mint(&caller(), &Arguments::of_constructor(1).u256(0));
}

fn on_call() {
    refuse_value();
    match selector() {
        NAME => return_string("Ostrom Token"),
        SYMBOL => return_string("OST"),
        DECIMALS => return_word(18),
        TOTAL_SUPPLY => return_data(&SUPPLY.word().0),
        BALANCE_OF => return_data(&BALANCES.at(&Arguments::of_function(1).address(0)).word().0),
        ALLOWANCE => {
            let arguments = Arguments::of_function(2);
            return_data(&allowance_slot(&arguments.address(0), &arguments.address(1)).word().0)
        }
        TRANSFER => {
            let arguments = Arguments::of_function(2);
            transfer(&caller(), &arguments.address(0), &arguments.u256(1));
        }
        APPROVE => {
            let arguments = Arguments::of_function(2);
            let (owner, spender, amount) = (caller(), arguments.address(0), arguments.u256(1));
            set_allowance(&owner, &spender, &amount);
            emit_amount(&APPROVAL_EVENT, &owner, &spender, &amount);
        }
        TRANSFER_FROM => {
            let arguments = Arguments::of_function(3);
            let (from, to, amount) = (arguments.address(0), arguments.address(1), arguments.u256(2));
            spend_allowance(&from, &caller(), &amount);
            transfer(&from, &to, &amount);
        }
        _ => revert_empty(),
    }
    return_word(true)
}

contract!(on_deploy, on_call);
