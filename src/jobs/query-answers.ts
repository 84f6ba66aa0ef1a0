/** No answer is longer; more than this is typed or pasted. */
const MAX_ANSWER_BYTES = 64

/**
 * Answers that every xterm gives by itself when a program asks: device attributes (DA1-DA3), status (DSR), cursor
 * position (CPR), mode reports (DECRPM), DCS answers. The host's screen has answered already, so a viewer's answer must
 * not reach the program as well. Colours (OSC 10-12) pass: only a viewer knows its theme.
 *
 * Written without the escape they begin with. A cursor position in row 1, columns 2-8 is also Shift/Alt/Ctrl+F3 and is let through.
 */
const ANSWER =
  /^(?:\[[?>=][\d;]*c|\[0n|\[\?\d+(?:;\d+)*n|\[\?\d+;\d+(?:;\d+)?R|\[(?!1;[2-8]R)\d+;\d+R|\[\??\d+;\d+\$y|\[\d+;\d+;\d+t|P\P{Cc}*\p{Cc}\\)$/u

/** Whether a whole keys frame is such an answer. */
export function isQueryAnswer(keys: Uint8Array): boolean {
  if (keys.length > MAX_ANSWER_BYTES || keys[0] !== ESCAPE) return false
  return ANSWER.test(latin1(keys.subarray(1)))
}

const ESCAPE = 0x1b
const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
