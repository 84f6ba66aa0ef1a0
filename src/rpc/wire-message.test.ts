import { expect, it } from 'vitest'
import { errorMessage } from '../base/errors.ts'
import { SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { MAX_JSON_DEPTH, parseWireMessage } from './wire-message.ts'

/** Sign by sign, as it is meant. */
function depthOf(text: string): number {
  let [depth, deepest, isInString] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    if (isInString && text[i] === '\\') i++
    else if (text[i] === '"') isInString = !isInString
    else if (!isInString && '[{'.includes(text[i] as string)) deepest = Math.max(deepest, ++depth)
    else if (!isInString && ']}'.includes(text[i] as string)) depth--
  }
  return deepest
}

it('nesting is counted outside strings, whatever is in them', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const seen = new Set<boolean>()
  for (let n = 0; n < 3000; n++) {
    const signs = Array.from({ length: random.below(400) }, () => random.pick(['[', '[', '[', '{', ']', '}', '"', '\\', 'a', '\\"']))
    const text = signs.join('')
    const isDeeper = depthOf(text) > MAX_JSON_DEPTH
    let said = ''
    try {
      parseWireMessage(text)
    } catch (error) {
      said = errorMessage(error)
    }
    seen.add(isDeeper)
    expect({ seed, text, isDeeper: said.includes('nested deeper') }).toEqual({ seed, text, isDeeper })
  }
  expect(seen.size).toBe(2)
})
