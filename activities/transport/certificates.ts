/**
 * TLS identities of the sites. No authority signs them: each site's certificate is pinned, so exactly the one
 * in the peer's bundle is accepted, whatever its names say.
 */
import 'reflect-metadata'; // @peculiar/x509 needs it loaded first
import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { SrdfError } from '../../temporal/error-catalogue.js';

/** Both PEM. */
export interface TlsIdentity {
  /** PKCS #8. */
  readonly key: string;
  readonly certificate: string;
}

/** What both ends of the transport are given: the own identity, and the one certificate accepted of the peer (PEM). */
export interface PinnedTls extends TlsIdentity {
  readonly peerCertificate: string;
}

const MILLISECONDS_PER_DAY = 86_400_000;
/** Clocks of two sites differ: a certificate made just now is valid at the other. */
const CLOCK_SKEW_MILLISECONDS = 3_600_000;

/**
 * A new ECDSA P-256 key and its self-signed certificate for TLS client and server (subject and DNS name: the site).
 * Valid from an hour ago (clock skew) for `days` days from now.
 */
export async function generateTlsCertificate(options: { readonly site: string; readonly days: number }): Promise<TlsIdentity> {
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(options.site)) {
    throw new SrdfError('config-invalid', {
      tried: 'making a TLS certificate',
      found: `"${options.site}" is not a site name`,
      action: 'Name the site with lower-case letters, digits and dashes, a letter first, at most 40',
    });
  }
  const now = Date.now();
  return createCertificate(
    options.site,
    new Date(now - CLOCK_SKEW_MILLISECONDS),
    new Date(now + Math.round(options.days * MILLISECONDS_PER_DAY)),
  );
}

/** As `generateTlsCertificate`, with both dates given. */
export async function createCertificate(site: string, notBefore: Date, notAfter: Date): Promise<TlsIdentity> {
  const crypto = webcrypto;
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [site] }],
      notBefore,
      notAfter,
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        // A certificate that says it is no authority can't be misused to sign others.
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: site }]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY').trim().concat('\n'),
    certificate: certificate.toString('pem').trim().concat('\n'),
  };
}

/** SHA-256 of a certificate's DER bytes, lower-case hex. Takes PEM or DER. Throws `key-bundle-refused` when it isn't one. */
function certificateFingerprint(certificate: string | Uint8Array): string {
  return createHash('sha256').update(parseCertificate(certificate).raw).digest('hex');
}

export interface Mistrust {
  readonly found: string;
  /** It is the pinned one and not valid yet: by the clock that was asked, which passes once that is right. */
  readonly early: boolean;
}
/** null when the certificate presented (DER) is exactly the pinned one and valid now, else why it isn't accepted. */
export type Pin = (presented: Uint8Array | undefined, now: Date) => Mistrust | null;

/** The pin of a peer's certificate (PEM): compares SHA-256 fingerprints, then the dates. Throws `key-bundle-refused` when it isn't one. */
export function pinCertificate(certificate: string): Pin {
  const pinned = parseCertificate(certificate);
  const expected = certificateFingerprint(pinned.raw);
  const from = new Date(pinned.validFrom);
  const to = new Date(pinned.validTo);
  return (presented, now) => {
    if (presented === undefined || presented.length === 0) return { found: 'no certificate was presented', early: false };
    const found = createHash('sha256').update(presented).digest('hex');
    if (found !== expected)
      return { found: `another certificate was presented (SHA-256 ${found.slice(0, 16)}…) than the trusted one`, early: false };
    if (now < from) return { found: `the certificate is valid only from ${from.toISOString()}`, early: true };
    if (now > to) return { found: `the certificate expired on ${to.toISOString()}`, early: false };
    return null;
  };
}

function parseCertificate(certificate: string | Uint8Array): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw new SrdfError('key-bundle-refused', {
      tried: 'reading a TLS certificate',
      found: 'it is not an X.509 certificate',
      action: "Exchange the sites' bundles again with `srdf keys trust`",
      cause,
    });
  }
}
