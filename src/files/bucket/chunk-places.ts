import type { ChunkId } from '../chunk-id.ts'
import type { PackedChunk } from './pack-index.ts'

export interface ChunkPlace extends PackedChunk {
  readonly pack: string
  readonly offset: number
}

export interface PackFacts {
  /** 0: it is to stay; 1: it is to go; 2: it gave wrong bytes. The lower is read. */
  rankOf(pack: string): number
  bytesOf(pack: string): number
}

/** In which pack each chunk lies. All devices choose the same of several packs, the largest that is to stay, so that they hold one for needed and not each another one. */
export class ChunkPlaces {
  readonly #packs: PackFacts
  readonly #best = new Map<ChunkId, ChunkPlace>()
  /** Of chunks that lie in more than one pack: all of them. */
  readonly #several = new Map<ChunkId, readonly ChunkPlace[]>()

  constructor(packs: PackFacts) {
    this.#packs = packs
  }

  get size(): number {
    return this.#best.size
  }

  get(id: ChunkId): ChunkPlace | undefined {
    return this.#best.get(id)
  }

  all(id: ChunkId): readonly ChunkPlace[] {
    const place = this.#best.get(id)
    return this.#several.get(id) ?? (place ? [place] : [])
  }

  /** Every chunk, once. */
  each(): Iterable<ChunkPlace> {
    return this.#best.values()
  }

  add(place: ChunkPlace): void {
    this.#put(place.id, [...this.all(place.id), place])
  }

  remove(id: ChunkId, pack: string): void {
    this.#put(
      id,
      this.all(id).filter((place) => place.pack !== pack),
    )
  }

  /** A pack was marked, is to stay again, or gave wrong bytes. */
  review(chunks: Iterable<PackedChunk>): void {
    for (const { id } of chunks) {
      const places = this.#several.get(id)
      if (places) this.#put(id, places)
    }
  }

  #put(id: ChunkId, places: readonly ChunkPlace[]): void {
    if (places.length > 1) this.#several.set(id, places)
    else this.#several.delete(id)
    if (places.length === 0) this.#best.delete(id)
    else
      this.#best.set(
        id,
        places.reduce((best, place) => (this.#isBefore(place, best) ? place : best)),
      )
  }

  #isBefore(a: ChunkPlace, b: ChunkPlace): boolean {
    const worse = this.#packs.rankOf(b.pack) - this.#packs.rankOf(a.pack)
    if (worse !== 0) return worse > 0
    const more = this.#packs.bytesOf(a.pack) - this.#packs.bytesOf(b.pack)
    return more === 0 ? a.pack < b.pack : more > 0
  }
}
