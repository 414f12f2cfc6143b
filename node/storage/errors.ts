export type StorageErrorCode =
  /** Another process, or another part of this one, has it open. */
  | "storage/locked"
  /** What the disk gives back is not what was written. */
  | "storage/damaged"
  | "storage/disk-full"
  /** Nothing is there, and creating it was not asked for. */
  | "storage/missing"
  /** Written by a version of the program that this one does not understand. */
  | "storage/unknown-version"
  | "storage/closed"
  /** A key lies where others can read it. */
  | "storage/exposed"
  /** Any other failure of the machine below; the message has its words. */
  | "storage/failed";

/** What disks and databases do to us. The message says what to do about it. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  constructor(code: StorageErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

const FULL_DISK_CODES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** The same in words, as LevelDB reports them (strerror of the three codes above). */
const FULL_DISK_WORDS = /No space left on device|Disk quota exceeded|File too large/;

/** Turns an error of the file system into a StorageError; one that is a StorageError already stays as it is.
 * @param doing what was attempted, for the message: "writing /data/log". */
export function asStorageError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  const { code, message } = describe(error);
  if (FULL_DISK_CODES.has(code) || FULL_DISK_WORDS.test(message)) {
    return new StorageError(
      "storage/disk-full",
      `the disk is full (${doing}): free some space and start again`,
      {
        cause: error,
      },
    );
  }
  if (code === "ENOENT")
    return new StorageError("storage/missing", `${doing}: nothing is there`, { cause: error });
  return new StorageError("storage/failed", `${doing}: ${message}`, { cause: error });
}

function describe(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const code = (error as Error & { readonly code?: unknown }).code;
  return { code: typeof code === "string" ? code : "", message: error.message };
}
