import type * as z from 'zod'
import { errorMessage } from '../../../base/errors.ts'
import { type EngineCall, EngineError } from '../engine.ts'
import { parseAnswer } from '../parse-answer.ts'
import { type Refusal, refusal } from './bacalhau-answers.ts'

export interface BacalhauAddress {
  /** Of its API: `http://host:1234`. */
  readonly url: string
  /** A key, where it asks for one. */
  readonly token: string
}

/** The key, and nothing else that says who asks. */
export const headersOf = ({ token }: BacalhauAddress): Readonly<Record<string, string>> =>
  token === '' ? {} : { authorization: `Bearer ${token}` }

/**
 * One call; what is said is an answer, or one of EngineError's kinds.
 *
 * @returns undefined  it says that there is none (404)
 */
export async function askBacalhau<T>(
  call: EngineCall,
  address: BacalhauAddress,
  schema: z.ZodType<T>,
  request: { readonly method: 'GET' | 'PUT' | 'DELETE'; readonly path: string; readonly body?: object },
  signal: AbortSignal,
): Promise<T | undefined> {
  const { url } = address
  const { method, path, body } = request
  const headers = { ...headersOf(address), accept: 'application/json', ...(body && { 'content-type': 'application/json' }) }
  const called = await call({ method, url: `${url}${path}`, headers, ...(body && { body: JSON.stringify(body) }) }, signal).catch(
    (error: unknown) => {
      throw new EngineError('engine/unreachable', `${url} does not answer (${errorMessage(error).slice(0, 200)})`, { cause: error })
    },
  )
  if (called.status === 200) {
    const parsed = parseAnswer(schema, called.text)
    if (parsed !== undefined) return parsed
    // Whether an order was taken is not known then.
    if (method === 'PUT') throw new EngineError('engine/unreachable', `${url} answered 200 without saying whether it took it`)
    throw new EngineError('engine/nonsense', `${url} answered with something that is no answer of Bacalhau's API`)
  }
  const said = parseAnswer(refusal, called.text)
  if (called.status === 401)
    throw new EngineError('engine/refused', `${url} does not take the key: ask who runs it for another, and add the engine anew`)
  if (called.status === 403)
    throw new EngineError(
      'engine/refused',
      `${url} does not allow that with this key${said?.Details?.reason ? ` (${said.Details.reason.slice(0, 200)})` : ''}`,
    )
  if (called.status === 404 && said) return undefined
  if (called.status === 429) throw new EngineError('engine/unreachable', `${url} is asked too often`)
  if (!said) {
    const isUnclear = called.status >= 500 || called.status < 400
    throw new EngineError(
      method === 'PUT' && isUnclear ? 'engine/unreachable' : 'engine/nonsense',
      `${url} answered ${called.status} with something that is no answer of Bacalhau's API`,
    )
  }
  // 503 is what its own time limit says: the work may be done all the same.
  if (called.status === 503) throw new EngineError('engine/unreachable', `${url}: ${wordsOf(said)}`)
  throw new EngineError('engine/refused', `${url} refused: ${wordsOf(said)}`, { numbers: [called.status] })
}

const wordsOf = ({ Message, Hint }: Refusal): string => [Message, Hint].filter(Boolean).join('. ').slice(0, 400)
