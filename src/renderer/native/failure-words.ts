import { DomainError } from '../../base/errors.ts'

/** Why a page did not come, in plain words. `code` is Chromium's name of it, for whoever must look it up. */
export class PageFailure extends DomainError {
  override readonly name = 'PageFailure'
  readonly code: string

  constructor(code: string) {
    super(wordsOf(code))
    this.code = `web/${code.toLowerCase().replaceAll('_', '-')}`
  }
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^ERR_NAME_NOT_RESOLVED/, 'Nobody knows this address. Check how it is spelled.'],
  [/^ERR_INTERNET_DISCONNECTED|^ERR_NETWORK_/, 'This machine has no network now.'],
  [
    /^ERR_CONNECTION_(REFUSED|CLOSED|RESET|ABORTED)|^ERR_EMPTY_RESPONSE/,
    'The other side does not answer at this address. Try again later.',
  ],
  [/TIMED_OUT/, 'The other side took too long to answer. Try again later.'],
  [/^ERR_(CERT|SSL)_/, 'The page cannot prove that it is what its address says, so it was not opened.'],
  [
    /^ERR_BLOCKED_BY_CLIENT/,
    'Elsewhere did not let the page go there: a page from elsewhere may not reach desks and programs of this machine.',
  ],
  [/^ERR_TOO_MANY_REDIRECTS/, 'The page leads round in circles.'],
  [/^PAGE_STOPPED/, 'The page stopped working.'],
]

const wordsOf = (code: string): string => WORDS.find(([pattern]) => pattern.test(code))?.[1] ?? `The page did not come (${code}).`
