/** What a server's or the driver's error says about the server itself, at either site, whatever was asked of it. Pure. */

/** 1040, 1203 and 1226 too many connections, 1053 shutdown, 1077, 1927 killed, 2006 and 2013 gone, 4031 disconnected by the server, 1152, 1158–1161 network. */
const UNREACHABLE = new Set([1040, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 2002, 2003, 2006, 2013, 2055, 4031]);

export interface ServerError {
  readonly errno: number;
  readonly code: string;
  readonly message: string;
}
export const serverError = (error: unknown): ServerError => {
  const { errno, code, message } = error as { errno?: unknown; code?: unknown; message?: unknown };
  return {
    errno: typeof errno === 'number' ? errno : 0,
    code: typeof code === 'string' ? code : '',
    message: typeof message === 'string' ? message : String(error),
  };
};

/** No answer of the server: the socket broke. Driver errors carry no number, or a negative one of the operating system. */
export const connectionLost = (error: unknown): boolean => {
  const { errno, code, message } = serverError(error);
  // mysql2 says so, with neither number nor code, when a statement comes after the socket has broken.
  if ((error as { fatal?: unknown }).fatal === true || /connection is in closed state/.test(message)) return true;
  return UNREACHABLE.has(errno) || code === 'PROTOCOL_CONNECTION_LOST' || (errno <= 0 && /^E[A-Z]+$/.test(code));
};

/**
 * 1114 table full (the tablespace can't grow), 1021 disk full, 3 writing a file. 1026, 1030 and others say the operating system's number:
 * 28 is ENOSPC, and 122 EDQUOT.
 */
export const diskFull = (errno: number, message: string): boolean =>
  errno === 1114 ||
  errno === 1021 ||
  errno === 3 ||
  (errno > 0 && /\b(?:error|errno:?|errcode:?|code:?) "?(?:28|122)\b|No space left on device/i.test(message));
