import { BucketError } from '../files/bucket/bucket-error.ts'
import type { ObjectStore } from '../files/bucket/object-store.ts'

export type ObjectCall = 'list' | 'get' | 'put' | 'remove' | 'begin' | 'part' | 'complete' | 'abandon'

/** What a bucket does instead of what it should. `lost`: it takes it, and has it not. `cut`: it does it, and the answer is lost. */
export type ObjectFault = 'fail' | 'cut' | 'lost' | 'wrong' | 'short'

/** A bucket in memory, which several devices may use and which does wrong when it is told to. Shared by the stores of `open`. */
export class MemoryBucket {
  readonly objects = new Map<string, Uint8Array>()
  readonly uploads = new Map<string, { readonly name: string; readonly parts: Map<number, Uint8Array> }>()
  /** Bytes of packs and parts that it took. */
  readonly taken: Uint8Array[] = []
  calls = 0
  /** Parts that are shorter are refused, but for the last. */
  minPartBytes = 0
  fault: (call: ObjectCall, name: string, n: number) => ObjectFault | undefined = () => undefined

  open(): ObjectStore {
    return {
      list: async (prefix) => {
        const fault = this.#begin('list', prefix)
        const all = [...this.objects].filter(([name]) => name.startsWith(prefix))
        return new Map((fault === 'short' ? all.slice(all.length >> 1) : all).map(([name, { length }]) => [name, length]))
      },
      get: async (name, offset, length) => {
        const fault = this.#begin('get', name)
        const bytes = fault === 'lost' ? undefined : this.objects.get(name)?.slice(offset, offset + length)
        if (bytes && fault === 'wrong') bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
        return bytes && fault === 'short' ? bytes.slice(0, bytes.length >> 1) : bytes
      },
      put: async (name, bytes) => {
        const fault = this.#begin('put', name)
        const kept = this.#bent(bytes, fault)
        if (fault !== 'lost') this.objects.set(name, kept)
        if (/\/p\//.test(name)) this.taken.push(bytes.slice())
        this.#end(fault)
      },
      remove: async (name) => {
        const fault = this.#begin('remove', name)
        if (fault !== 'lost') this.objects.delete(name)
        this.#end(fault)
      },
      beginUpload: async (name) => {
        this.#end(this.#begin('begin', name))
        const upload = `upload ${this.uploads.size} ${this.calls}`
        this.uploads.set(upload, { name, parts: new Map() })
        return upload
      },
      putPart: async (name, upload, number, bytes) => {
        const fault = this.#begin('part', name)
        const of = this.uploads.get(upload)
        if (!of) throw new BucketError('bucket/upload-gone', 'no such upload')
        of.parts.set(number, this.#bent(bytes, fault))
        if (fault !== 'cut') this.taken.push(bytes.slice()) // else the other end cannot know
        this.#end(fault)
        return `${upload} ${number}`
      },
      completeUpload: async (name, upload, proofs) => {
        const fault = this.#begin('complete', name)
        const of = this.uploads.get(upload)
        if (!of) throw new BucketError('bucket/upload-gone', 'no such upload')
        if (proofs.slice(0, -1).some((_, n) => (of.parts.get(n + 1)?.length ?? 0) < this.minPartBytes))
          throw new BucketError('bucket/upload-gone', 'EntityTooSmall')
        const parts = proofs.map((_, n) => of.parts.get(n + 1) ?? new Uint8Array(0))
        if (fault !== 'lost') this.objects.set(name, new Uint8Array(Buffer.concat(parts)))
        this.uploads.delete(upload)
        this.#end(fault)
      },
      abandonUpload: async (_, upload) => void this.uploads.delete(upload),
      dispose: () => {},
    }
  }

  #begin(call: ObjectCall, name: string): ObjectFault | undefined {
    const fault = this.fault(call, name, ++this.calls)
    if (fault === 'fail') throw new BucketError('bucket/failed', 'failed (500)')
    return fault
  }

  #end(fault: ObjectFault | undefined): void {
    if (fault === 'cut') throw new BucketError('bucket/unreachable', 'cut')
  }

  #bent(bytes: Uint8Array, fault: ObjectFault | undefined): Uint8Array {
    const kept = bytes.slice(0, fault === 'short' ? bytes.length >> 1 : bytes.length)
    if (fault === 'wrong') for (let at = 0; at < kept.length; at += 100) kept[at] = (kept[at] as number) ^ 1
    return kept
  }
}
