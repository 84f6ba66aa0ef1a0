/** Something that must hold of a row; undefined: it could not be found out. */
type Bound = boolean | undefined

/** A must of several bounds: false as soon as one does not hold; undefined while one could not be found out; else true. */
export function verdict(...bounds: readonly Bound[]): Bound {
  if (bounds.includes(false)) return false
  return bounds.includes(undefined) ? undefined : true
}

/** More than each of what was measured of the peers it must be ahead of; one that was not measured leaves it open. */
export const isMoreThan = (value: number, peers: readonly (number | undefined)[]): Bound =>
  verdict(...peers.map((peer) => (peer === undefined ? undefined : value > peer)))

export const isLessThan = (value: number, peers: readonly (number | undefined)[]): Bound =>
  verdict(...peers.map((peer) => (peer === undefined ? undefined : value < peer)))
