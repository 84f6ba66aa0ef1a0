/** As the device reads it; longer is no link. */
export const MAX_LINK_LETTERS = 640

/** A link as it is shown beside the code, pasted whole. The device reads what is in it. */
export function readJoinLink(typed: string, kind: 'join' | 'contact' = 'join'): string | undefined {
  const link = typed.trim()
  return new RegExp(`^elsewhere://${kind}/\\S+$`, 'i').test(link) && link.length <= MAX_LINK_LETTERS ? link : undefined
}

/**
 * A code as people write it down: `4217 Guitar  ozone`, `4217-GUITAR-OZONE`, `4217 123456`. Joined by dashes, lower case.
 *
 * @returns the code as the device wants it, or undefined while it cannot be one: a meeting number and a secret are needed
 */
export function readPairingCode(typed: string): string | undefined {
  const parts = typed
    .trim()
    .toLowerCase()
    .split(/[\s,.;:_/–—-]+/u)
    .filter((part) => part !== '')
  const [meeting, ...secret] = parts
  if (!meeting || !/^\d{1,9}$/.test(meeting) || secret.length === 0 || secret.length > 6) return undefined
  if (!secret.every((part) => /^[a-z0-9]{1,24}$/.test(part))) return undefined
  return [meeting, ...secret].join('-')
}

/** The parts of a code, to be shown apart so that they can be read aloud. */
export const codeParts = (code: string): readonly string[] => code.split('-')
