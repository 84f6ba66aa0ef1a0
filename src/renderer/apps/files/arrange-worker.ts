import { arrange, type FolderView } from './folder-view.ts'

/** What an order is made of, in columns: a hundredth of the time that as many objects take to hand over. */
export interface EntryColumns {
  readonly names: readonly string[]
  readonly bytes: Float64Array<ArrayBuffer>
  readonly modifiedMs: Float64Array<ArrayBuffer>
  /** 1: a folder; 2: hidden. */
  readonly marks: Uint8Array<ArrayBuffer>
}
/** To the worker: entries once, then how to show them, again and again. */
export type ArrangeAsk =
  | { readonly kind: 'entries'; readonly columns: EntryColumns }
  | { readonly kind: 'arrange'; readonly turn: number; readonly view: FolderView; readonly filter: string }
/** From it: places in the list of entries, in order. */
export interface ArrangeAnswer {
  readonly turn: number
  readonly order: Uint32Array<ArrayBuffer>
}

let entries: ReturnType<typeof entriesOf> = []

// A folder of 100,000 takes a second to sort as people count: away from the page, which goes on meanwhile.
addEventListener('message', ({ data }: MessageEvent<ArrangeAsk>) => {
  if (data.kind === 'entries') {
    entries = entriesOf(data.columns)
    return
  }
  const order = Uint32Array.from(arrange(entries, data.view, data.filter), ({ at }) => at)
  postMessage({ turn: data.turn, order } satisfies ArrangeAnswer, { transfer: [order.buffer] })
})

function entriesOf({ names, bytes, modifiedMs, marks }: EntryColumns) {
  return names.map((name, at) => ({
    at,
    name,
    kind: ((marks[at] ?? 0) & 1) === 1 ? ('folder' as const) : ('file' as const),
    bytes: bytes[at] ?? 0,
    modifiedMs: modifiedMs[at] ?? 0,
    hidden: ((marks[at] ?? 0) & 2) === 2,
  }))
}
