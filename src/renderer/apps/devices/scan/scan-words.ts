import type { PairingWords } from '../pairing-words.ts'
import type { ScanState } from './scan-camera.ts'
import type { Seen } from './scanned.ts'

/** What came of a picture. */
export type PictureState = 'reading' | 'nothing' | 'too-large' | 'no-picture' | Exclude<Seen['kind'], 'link' | 'nothing'>

/** Why nothing is seen, and what to do. */
export const OFF_WORDS: Readonly<Record<Extract<ScanState, { step: 'off' }>['why'], readonly [title: string, hint: string]>> = {
  refused: [
    'This page may not use the camera',
    'Allow it beside the address, or in the privacy settings of this system, then try again. A picture of the code does as well.',
  ],
  none: ['No camera was found', 'Plug one in and try again, or use a picture of the code.'],
  busy: ['The camera is in use', 'Another program has it. Close that, then try again, or use a picture of the code.'],
  unsupported: ['There is no camera for this page', 'This browser gives it none. Use a picture of the code, or type the code.'],
  gone: ['The camera has gone', 'It was unplugged or turned off. Try again, or use a picture of the code.'],
  failed: ['The camera could not be opened', 'Try again, or use a picture of the code.'],
  idle: ['The camera is off', 'It saw no code for two minutes. Try again when you have one.'],
}

const NOT_WANTED = {
  other: 'That code is something else. Nothing was opened.',
  several: 'There is more than one code in sight. Show only the one you mean.',
}
const seenWords = (seen: Exclude<Seen['kind'], 'link' | 'nothing'>, words: Pick<PairingWords, 'otherLink'>): string =>
  seen === 'other-link' ? words.otherLink : NOT_WANTED[seen]

/** One line under the camera's picture. */
export function lookingWords(state: ScanState, words: Pick<PairingWords, 'otherLink' | 'scanHint'>): string {
  if (state.step === 'asking') return 'Asking for the camera. Your browser may have a question for you.'
  if (state.step === 'off') return ''
  if (state.seen) return seenWords(state.seen, words)
  return state.isLong
    ? 'No code seen yet. Hold it flat and closer, with light on it and no glare, until it fills the frame.'
    : words.scanHint
}

/** One line about a picture. */
export function pictureWords(picture: PictureState, words: Pick<PairingWords, 'otherLink'>): string {
  switch (picture) {
    case 'reading':
      return 'Looking at the picture…'
    case 'nothing':
      return 'No QR code was found in that picture. Try one that shows all of it, sharp and straight.'
    case 'too-large':
      return 'That picture is too large to look at. Cut out the code, then try again.'
    case 'no-picture':
      return 'That is no picture that can be read here. PNG, JPEG, WebP and GIF can.'
    default:
      return seenWords(picture, words)
  }
}
