import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An organisation's certificate authority, made with openssl as its people would. */
export type CertificateAuthority = { readonly certificate: string; readonly key: string };

/** Whether there is an openssl to make one with. */
export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function openssl(...words: readonly string[]): void {
  execFileSync("openssl", words, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Makes one: DIR/NAME.crt and DIR/NAME.key. */
export function createCertificateAuthority(directory: string, name: string): CertificateAuthority {
  const certificate = join(directory, `${name}.crt`);
  const key = join(directory, `${name}.key`);
  const files = ["-keyout", key, "-out", certificate, "-days", "365", "-subj", `/O=Bank/CN=${name}`];
  const isAuthority = ["-addext", "basicConstraints=critical,CA:TRUE"];
  openssl("req", "-x509", "-newkey", "ed25519", "-nodes", ...files, ...isAuthority);
  return { certificate, key };
}

/** Issues a certificate over a node's transport key: what the node shows from its next start on. */
export function issueCertificate({ certificate, key }: CertificateAuthority, folder: string): void {
  const request = join(folder, "transport.csr");
  const extensions = join(folder, "transport.ext");
  writeFileSync(extensions, "basicConstraints=CA:FALSE\n");
  const transport = join(folder, "keys/transport.pem");
  openssl("req", "-new", "-key", transport, "-out", request, "-subj", "/O=Bank/CN=node");
  const issuer = ["-CA", certificate, "-CAkey", key, "-CAcreateserial", "-days", "30"];
  const out = join(folder, "keys/transport.crt");
  openssl("x509", "-req", "-in", request, ...issuer, "-out", out, "-extfile", extensions);
  rmSync(request);
  rmSync(extensions);
}
