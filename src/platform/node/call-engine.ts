import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import { type EngineCall, type EngineMoved, MAX_ANSWER_BYTES } from '../../jobs/engines/engine.ts'

/** A body goes in pieces of that: each that went is seen. */
const PIECE_BYTES = 64 * 1024

/**
 * HTTP by Node, not by its fetch, which does not say how far a body has gone: no redirects (a token goes where it was given for, and
 * nowhere else), and no answer longer than is read.
 */
export const callEngine: EngineCall = async ({ method, url, headers, body }, signal, moved = () => undefined) => {
  signal.throwIfAborted()
  const bytes = Buffer.from(body ?? '')
  // Each on a connection of its own: one that was kept may be closed there as it is used, and whether an order arrived is then not known.
  const options: RequestOptions = {
    ...{ method, signal, agent: false },
    headers: { ...headers, connection: 'close', ...(body !== undefined && { 'content-length': bytes.length }) },
  }
  const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, options)
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.on('error', reject)
  })
  answered.catch(() => undefined) // whoever sends has it
  try {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES)
      // One that says no in the middle reads no further.
      const isAnswered = await Promise.race([
        answered.then(() => true),
        new Promise<false>((resolve, reject) => request.write(piece, (error) => (error ? reject(error) : resolve(false)))),
      ])
      if (isAnswered) break
      moved('went')
    }
    request.end()
    const response = await answered
    moved('came')
    const { statusCode: status = 0 } = response
    if (status >= 300 && status < 400) throw new Error(`it answered ${status}, and nothing is followed to another place`)
    return { status, text: await textOf(response, moved) }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    request.destroy()
  }
}

async function textOf(response: IncomingMessage, moved: EngineMoved): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    moved('came')
    bytes += piece.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`)
    text += decoder.decode(piece, { stream: true })
  }
  return text + decoder.decode()
}
