/** Size of the desk area (what is left between bars and docks) in CSS px. */
export interface DeskSize {
  readonly width: number
  readonly height: number
}

/** Width buckets from narrow to wide; a bucket's number is its place here. */
export const WIDTH_BUCKETS = ['compact', 'medium', 'wide', 'huge'] as const
export type WidthBucket = (typeof WIDTH_BUCKETS)[number]
export const ORIENTATIONS = ['landscape', 'portrait'] as const
export type Orientation = (typeof ORIENTATIONS)[number]

/** Width bucket x orientation of the desk area; each has its own geometry (rule SE30). */
export type DisplayClass = `${WidthBucket}-${Orientation}`

/** Every class, in a fixed order. */
export const DISPLAY_CLASSES: readonly DisplayClass[] = WIDTH_BUCKETS.flatMap((bucket) =>
  ORIENTATIONS.map((orientation): DisplayClass => `${bucket}-${orientation}`),
)

/** First width in CSS px that no longer belongs to the bucket: a phone, a tablet or small laptop, a desktop screen. */
const BUCKET_LIMIT_PX = { compact: 900, medium: 1600, wide: 2800 } as const

/** The class of a desk area. A square is landscape. */
export function displayClassOf({ width, height }: DeskSize): DisplayClass {
  const bucket: WidthBucket =
    width < BUCKET_LIMIT_PX.compact ? 'compact' : width < BUCKET_LIMIT_PX.medium ? 'medium' : width < BUCKET_LIMIT_PX.wide ? 'wide' : 'huge'
  return `${bucket}-${height > width ? 'portrait' : 'landscape'}`
}

const split = (displayClass: DisplayClass): [number, Orientation] => {
  const [bucket, orientation] = displayClass.split('-') as [WidthBucket, Orientation]
  return [WIDTH_BUCKETS.indexOf(bucket), orientation]
}

/** Turning a display changes a layout more than one bucket does, less than two. */
const TURN_DISTANCE = 1.5

/**
 * All classes from the nearest to the farthest, the class itself first (rule SE33). Equal distances: the narrower first, because a
 * window made for less room fits in more. Every device gets the same order.
 */
export const nearestClasses = (displayClass: DisplayClass): readonly DisplayClass[] => NEAREST[displayClass]

function orderedFrom(displayClass: DisplayClass): readonly DisplayClass[] {
  const [bucket, orientation] = split(displayClass)
  const distance = (other: DisplayClass): number => {
    const [otherBucket, otherOrientation] = split(other)
    return Math.abs(otherBucket - bucket) + (otherOrientation === orientation ? 0 : TURN_DISTANCE)
  }
  return [...DISPLAY_CLASSES].sort((a, b) => distance(a) - distance(b) || DISPLAY_CLASSES.indexOf(a) - DISPLAY_CLASSES.indexOf(b))
}

/** Asked for every window at every layout: ordered once. */
const NEAREST = Object.fromEntries(DISPLAY_CLASSES.map((one) => [one, orderedFrom(one)])) as Readonly<
  Record<DisplayClass, readonly DisplayClass[]>
>
