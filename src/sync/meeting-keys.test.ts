import { expect, it } from 'vitest'
import { systemRandom } from '../base/random.ts'
import { DAY_MS, lanTag, MeetingSeal, meetingDays, pairingLanTag, pairingMeeting, workspaceMeeting } from './meeting-keys.ts'

const SECRET = new Uint8Array(32).fill(5)

it('[SY63] topics and keys of version 1 stay what they are', () => {
  expect({
    topic: workspaceMeeting(SECRET, 20_000).topic,
    pairing: pairingMeeting('4217').topic,
    lan: lanTag(SECRET, 480_000),
    pairingLan: pairingLanTag('4217'),
  }).toMatchInlineSnapshot(`
    {
      "lan": "350eb97afa4567d5",
      "pairing": "s1c4WFJ3783VuGn9uSbeCqAtNAGaProwMmjlfT6S988",
      "pairingLan": "944d6ab46f96783c",
      "topic": "zvB1LgopkzsS9UNF4uhte9XznIgfaiIAy1Ko5K5iNwM",
    }
  `)
})

it('[SY63] another day, secret or number is another topic and key', () => {
  const all = [
    workspaceMeeting(SECRET, 1),
    workspaceMeeting(SECRET, 2),
    workspaceMeeting(new Uint8Array(32).fill(6), 1),
    pairingMeeting('1'),
    pairingMeeting('2'),
  ]
  expect(new Set(all.map(({ topic }) => topic)).size).toBe(5)
  expect(new Set(all.map(({ key }) => String(key))).size).toBe(5)
  expect(() => workspaceMeeting(new Uint8Array(31), 1)).toThrow(RangeError)
})

it('[SY63] a clock that is a day off still has a day in common', () => {
  const now = 20_000.5 * DAY_MS
  for (const off of [-DAY_MS, 0, DAY_MS]) expect(meetingDays(now).some((day) => meetingDays(now + off).includes(day))).toBe(true)
})

it('[SY63] what was sealed opens under the same key and topic only, and not when changed', async () => {
  const keys = workspaceMeeting(SECRET, 1)
  const seal = new MeetingSeal(keys, systemRandom)
  const data = await seal.seal('hello')
  expect(await seal.open(data)).toBe('hello')
  expect(await new MeetingSeal({ ...keys, topic: 'other' }, systemRandom).open(data)).toBeUndefined()
  expect(await new MeetingSeal(workspaceMeeting(SECRET, 2), systemRandom).open(data)).toBeUndefined()
  const changed = `${data.startsWith('A') ? 'B' : 'A'}${data.slice(1)}`
  for (const broken of [changed, data.slice(0, -2), '', '!!', 'AAAA']) expect(await seal.open(broken)).toBeUndefined()
})
