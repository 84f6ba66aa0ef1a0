// A foreground at 60 Hz: about 7 ms of work in each frame. Prints how many of 240 frames came late by a whole frame.
const FRAME_MS = 1000 / 60
const FRAMES = 240
const work = () => {
  const until = performance.now() + 7
  let mixed = 1
  while (performance.now() < until) mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  return mixed
}
let missed = 0
const startMs = performance.now()
for (let frame = 0; frame < FRAMES; frame++) {
  const dueMs = startMs + frame * FRAME_MS
  const waitMs = dueMs - performance.now()
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs - 1)))
  while (performance.now() < dueMs) {
    // a timer is a millisecond off; a display is not
  }
  work()
  if (performance.now() > dueMs + FRAME_MS) missed += 1
}
console.log(missed)
