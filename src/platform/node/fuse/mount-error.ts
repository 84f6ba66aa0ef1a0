import { DomainError } from '../../../base/errors.ts'

export type MountErrorCode = 'mount/no-fuse' | 'mount/refused' | 'mount/not-empty' | 'mount/not-a-folder' | 'mount/taken' | 'mount/busy'

/** Why a tree could not be mounted or unmounted. Codes are stable and tested. */
export class MountError extends DomainError<MountErrorCode> {
  override readonly name = 'MountError'
  readonly code: MountErrorCode

  constructor(code: MountErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static noFuse(why: string): MountError {
    return new MountError(
      'mount/no-fuse',
      `This system cannot mount a folder (${why}). Your files are reached through the Files pane and "elsewhere fs"; on Linux, installing fuse3 helps.`,
    )
  }
}
