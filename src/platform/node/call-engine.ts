import { type EngineCall, MAX_ANSWER_BYTES } from '../../jobs/engines/engine.ts'

/** HTTP by Node's fetch: no redirects (a token goes where it was given for, and nowhere else), and no answer longer than is read. */
export const callEngine: EngineCall = async ({ method, url, headers, body }, signal) => {
  const response = await fetch(url, { method, headers, redirect: 'error', signal, ...(body !== undefined && { body }) }).catch(
    (error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined
      throw cause instanceof Error ? cause : error
    },
  )
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += (piece as Uint8Array).length
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`an answer of more than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB`)
    text += decoder.decode(piece as Uint8Array, { stream: true })
  }
  return { status: response.status, text: text + decoder.decode() }
}
