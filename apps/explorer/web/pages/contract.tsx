import { Redirect, useParams } from "wouter";

/** A contract's page is its address's page at the part that shows the contract. */
export default function ContractPage() {
  const { address = "" } = useParams<{ address: string }>();
  return <Redirect to={`/address/${address}?tab=contract`} replace />;
}
