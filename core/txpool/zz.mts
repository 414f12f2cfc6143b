import { TransactionPool } from "./pool.ts";
import { fakeTransaction, RULES, senderAddress } from "./testing/fake-transactions.ts";
import { DEFAULT_POOL_LIMITS } from "./types.ts";
import { toHexDigits } from "@ostrom/base";
const RICH={nonce:0n,balance:10n**30n};
const t=(n,f)=>{const a=performance.now();const r=f();console.log(n,(performance.now()-a).toFixed(1),"ms");return r};
for(let k=0;k<2;k++){
const pool=new TransactionPool(RULES,{...DEFAULT_POOL_LIMITS},100n);
const many=Array.from({length:10000},(_,i)=>fakeTransaction({sender:i%5000,nonce:Math.floor(i/5000),tip:i%997}));
t("admit 10k from 5k senders",()=>{for(const x of many){const r=pool.admit(x,RICH,0); if(!r.ok)throw new Error(r.error.message)}});
const sel={gasLimit:60_000_000n,maxBytes:2<<20,baseFeePerGas:100n,ancestors:[]};
for(let i=0;i<6;i++) t("select",()=>pool.select(sel).length);
const chosen=pool.select(sel);
for(let i=0;i<4;i++)t("mark",()=>pool.markInFlight("a"+i,chosen));
t("select with ancestor",()=>pool.select({...sel,ancestors:["a0"]}).length);
t("has",()=>pool.hasWork({...sel,ancestors:["a0"]}));
}
