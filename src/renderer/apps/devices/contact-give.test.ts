import { describe, expect, it } from 'vitest'
import { grantInput } from '../../../identity/grants-contract.ts'
import { CONTACT_GIFTS, type ContactGiving, contactGiftSentence, contactGrant } from './contact-give.ts'

const giving: ContactGiving = {
  person: '1'.repeat(44),
  name: 'Bob',
  gift: 'jobs',
  port: '8080',
  on: { deviceId: '2'.repeat(44), name: 'laptop' },
  home: '3'.repeat(22),
  untilMs: 1_800_000_000_000,
}

describe('[AP64] what a contact is given from the screen', () => {
  it.each(CONTACT_GIFTS)('$value is a grant that the device takes, for that person and that long', ({ value }) => {
    const grant = contactGrant({ ...giving, gift: value })
    expect(grantInput.parse(grant)).toMatchObject({
      contact: giving.person,
      on: '2'.repeat(44),
      untilMs: giving.untilMs,
      mayDelegate: false,
    })
    expect(contactGiftSentence({ ...giving, gift: value })).toMatch(/^Bob may .*laptop/)
  })

  it.each(['', '0', '65536', '80a', '-1', '1e3'])('port "%s" is none', (port) =>
    expect(contactGrant({ ...giving, gift: 'port', port })).toBe('A port is a number from 1 to 65535.'),
  )

  it('without a place it is each device, without a time until it is revoked; Home is waited for', () => {
    expect(contactGrant({ ...giving, on: undefined, untilMs: undefined })).toEqual({
      contact: giving.person,
      mayDelegate: false,
      target: { kind: 'jobs', jobClass: 'any' },
      abilities: ['jobs:run'],
    })
    expect(contactGiftSentence({ ...giving, on: undefined })).toContain('each of your devices')
    expect(contactGrant({ ...giving, gift: 'read', home: undefined })).toMatch(/not open/)
  })
})
