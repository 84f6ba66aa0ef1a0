/**
 * What a wallet signs to say who it is: "sign in with Solana", a text that people can read. Times are ISO 8601 in UTC.
 * The grammar is the one of the wallet standard's `solana:signIn`.
 */
export interface SignInText {
  /** Host, with a port where it has one, of the place that is signed in to. */
  readonly domain: string
  /** base58 of the key that signs. */
  readonly address: string
  readonly statement?: string
  readonly uri?: string
  readonly version?: string
  readonly chainId?: string
  readonly nonce?: string
  readonly issuedAt?: string
  readonly expirationTime?: string
  readonly notBefore?: string
  readonly requestId?: string
  readonly resources?: readonly string[]
}

const FIRST_LINE = ' wants you to sign in with your Solana account:'
/** In the order they are written. */
const FIELDS = [
  ['uri', 'URI'],
  ['version', 'Version'],
  ['chainId', 'Chain ID'],
  ['nonce', 'Nonce'],
  ['issuedAt', 'Issued At'],
  ['expirationTime', 'Expiration Time'],
  ['notBefore', 'Not Before'],
  ['requestId', 'Request ID'],
] as const
/** Longest text: some 400 characters are usual. */
export const MAX_SIGN_IN_CHARACTERS = 4_096

/** Is this text meant for signing in, well formed or not? What is, a wallet signs for that purpose only. */
export const looksLikeSignIn = (text: string): boolean => text.includes(FIRST_LINE)

export function formatSignIn(input: SignInText): string {
  const head = `${input.domain}${FIRST_LINE}\n${input.address}`
  const fields: string[] = FIELDS.flatMap(([key, label]) => (input[key] === undefined ? [] : [`${label}: ${input[key]}`]))
  if (input.resources !== undefined) fields.push('Resources:', ...input.resources.map((resource) => `- ${resource}`))
  const statement = input.statement === undefined ? '' : `\n\n${input.statement}`
  return `${head}${statement}${fields.length === 0 ? '' : `\n\n${fields.join('\n')}`}`
}

/**
 * The parts of a text, or undefined when it is no sign-in. Strict: only a text that `formatSignIn` writes from those parts,
 * so that no two readings of one text exist.
 */
export function parseSignIn(text: string): SignInText | undefined {
  if (text.length > MAX_SIGN_IN_CHARACTERS) return undefined
  const [first = '', address = '', ...rest] = text.split('\n')
  if (!first.endsWith(FIRST_LINE) || address === '') return undefined
  const parts: { -readonly [K in keyof SignInText]: SignInText[K] } = { domain: first.slice(0, -FIRST_LINE.length), address }
  if (parts.domain === '' || /\s/.test(parts.domain)) return undefined
  if (rest[0] === '' && rest[1] !== undefined && !isField(rest[1])) {
    parts.statement = rest[1]
    rest.splice(0, 2)
  }
  if (rest.shift() !== (rest.length > 0 ? '' : undefined)) return undefined
  for (const [key, label] of FIELDS) {
    if (rest[0]?.startsWith(`${label}: `)) parts[key] = rest.shift()?.slice(label.length + 2) ?? ''
  }
  if (rest[0] === 'Resources:')
    parts.resources = rest
      .splice(0)
      .slice(1)
      .map((line) => line.replace(/^- /, ''))
  return formatSignIn(parts) === text ? parts : undefined
}

const isField = (line: string): boolean => line === 'Resources:' || FIELDS.some(([, label]) => line.startsWith(`${label}: `))
