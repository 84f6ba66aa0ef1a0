import { DomainError } from '../base/errors.ts'

export type TreeErrorCode =
  | 'tree/not-found'
  | 'tree/exists'
  | 'tree/not-empty'
  | 'tree/not-a-folder'
  | 'tree/is-a-folder'
  | 'tree/bad-argument'
  | 'tree/not-permitted'
  | 'tree/read-only'
  | 'tree/no-attribute'
  | 'tree/too-large'
  | 'tree/name-too-long'
  | 'tree/full'
  | 'tree/away'
  | 'tree/damaged'
  | 'tree/not-supported'
  | 'tree/other-disk'

const MESSAGES: Readonly<Record<TreeErrorCode, string>> = {
  'tree/not-found': 'there is no such file or folder',
  'tree/exists': 'that name is taken',
  'tree/not-empty': 'the folder is not empty',
  'tree/not-a-folder': 'that is not a folder',
  'tree/is-a-folder': 'that is a folder',
  'tree/bad-argument': 'that cannot be done with this entry',
  'tree/not-permitted': 'this tree does not do that',
  'tree/read-only': 'this part of the tree is only for reading',
  'tree/no-attribute': 'the entry has no such attribute',
  'tree/too-large': 'that is more than this tree keeps',
  'tree/name-too-long': 'a name has at most 255 bytes',
  'tree/full': 'there is no room left on this device',
  'tree/away': 'the bytes are on another device, which is not linked now',
  'tree/damaged': 'the bytes that are kept do not match what was written',
  'tree/not-supported': 'this tree has no such operation',
  'tree/other-disk': 'the two places are in different datasets; copy instead',
}

/** What a tree answers instead of doing it. Codes are stable and tested; a mount turns each into the system's own error. */
export class TreeError extends DomainError<TreeErrorCode> {
  override readonly name = 'TreeError'
  readonly code: TreeErrorCode

  constructor(code: TreeErrorCode, message: string = MESSAGES[code], options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
