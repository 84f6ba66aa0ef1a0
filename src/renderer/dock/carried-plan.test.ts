import { expect, it } from 'vitest'
import { ELSEWHERE } from '../../session/app-state.ts'
import { carriedOffer, type CarriedWork } from './carried-plan.ts'

const command: CarriedWork = { kind: 'command', line: 'make' }
const file = (device: string): CarriedWork => ({ kind: 'files', device, parent: '/src', names: ['x.sh'], isFolder: false })
const server = { deviceId: 'server', state: 'linked' } as const
const offer = (
  work: CarriedWork,
  row: { deviceId: string; state: 'linked' | 'away' | 'self' } = server,
  line: string | undefined = 'make',
) => carriedOffer(work, row, 'laptop', (device) => device, { line, answer: undefined })

it('[AP126] work of this device may go to any device that is there', () => {
  expect(offer(command)).toMatchObject({ takes: true, reason: 'asking…' })
  expect(offer(file('laptop'))).toMatchObject({ takes: true })
  expect(carriedOffer(file('laptop'), server, 'laptop', String, { line: undefined, answer: undefined }).reason).toBe(
    'asks what to do with it',
  )
  expect(offer(command, { ...server, state: 'away' })).toMatchObject({ takes: false, reason: 'cannot be reached now' })
})

it('[AP126] a folder is no command: it says on whose files the next one works', () => {
  expect(offer({ kind: 'files', device: 'laptop', parent: '/', names: ['src'], isFolder: true })).toMatchObject({
    takes: true,
    reason: 'runs what you type next on these files',
  })
})

it('[AP126] files of another device are not this device’s to send; a command of its terminal may run there', () => {
  expect(offer(file('server'))).toMatchObject({ takes: false, reason: 'its files lie on server' })
  expect(offer(file(ELSEWHERE)).reason).toBe('only while Elsewhere is mounted as a folder')
  const there: CarriedWork = { kind: 'command', line: 'make', folder: { device: 'server', path: '/src' } }
  expect(offer(there)).toMatchObject({ takes: true, reason: 'in a terminal, in its folder there' })
  expect(offer(there, { deviceId: 'laptop', state: 'self' })).toMatchObject({ takes: false })
})
