import { DomainError } from '../base/errors.ts'

export type DatasetListErrorCode =
  | 'dataset/bad-name'
  | 'dataset/name-taken'
  | 'dataset/too-many'
  | 'dataset/unknown'
  | 'dataset/is-home'
  | 'dataset/not-safe'

/** Why the list of datasets is not changed so. Codes are stable and tested; the text is for people and may change. */
export class DatasetListError extends DomainError<DatasetListErrorCode> {
  override readonly name = 'DatasetListError'
  readonly code: DatasetListErrorCode

  constructor(code: DatasetListErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
