/** As much of a text as is shown without opening it: a few screens, and quick to draw with its colours. */
export const TEXT_HEAD_BYTES = 32 * 1024
/** Of a Markdown text: most are shorter. */
export const MARKDOWN_HEAD_BYTES = 128 * 1024

export interface TextHead {
  /** Undefined: these bytes are no text. */
  readonly text: string | undefined
  readonly isWhole: boolean
}

/** The beginning of a file, as text. */
export async function readHead(
  view: { readonly path: string; readonly bytes: number },
  maxBytes: number,
  signal: AbortSignal,
): Promise<TextHead> {
  if (view.bytes === 0) return { text: '', isWhole: true }
  const response = await fetch(view.path, { headers: { Range: `bytes=0-${maxBytes - 1}` }, signal })
  if (!response.ok) throw viewError(response.status, await response.text())
  return textHead(new Uint8Array(await response.arrayBuffer()), view.bytes)
}

/** `total`: bytes of the whole file. A letter that was cut in two at the end is left out. */
export function textHead(bytes: Uint8Array, total: number): TextHead {
  const isWhole = bytes.length >= total
  if (bytes.includes(0)) return { text: undefined, isWhole }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole })
    return { text: text.replaceAll('\r\n', '\n'), isWhole }
  } catch {
    return { text: undefined, isWhole } // not UTF-8: no text
  }
}

/** What the device said about a file it could not read: its code first, then the sentence. */
export function viewError(status: number, body: string): Error {
  const [, code, message] = /^(\S+\/\S+) ([\s\S]+)$/.exec(body) ?? []
  return Object.assign(new Error(message ?? 'The device does not give it (any more).'), { code: code ?? `view/${status}` })
}
