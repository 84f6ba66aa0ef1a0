import type { PersonId } from '../../base/ids.ts'
import type { Operation } from '../authority/operation.ts'
import type { LedgerEvent } from './ledger-event.ts'

/** What an operation of the authority log is to the ledger; undefined for what shares nothing with anybody (names, keys). `own`: whose log it is. */
export function eventOfOperation({ id: operation, by, body }: Operation, own: PersonId): LedgerEvent | undefined {
  switch (body.kind) {
    case 'add-device':
      return { kind: 'device-added', peer: body.entry.device, by, role: body.role, operation }
    case 'remove-device':
      return { kind: 'device-removed', peer: body.device, by, operation }
    case 'role':
      return { kind: 'role-changed', peer: body.role === 'admin' ? body.entry.device : body.device, by, role: body.role, operation }
    case 'contact':
    case 'acquaint':
      return { kind: 'contact-added', person: body.person, by, operation }
    case 'part':
      return { kind: 'contact-removed', person: body.person, by, operation }
    case 'grant':
    case 'delegate':
      return {
        kind: 'granted',
        by,
        ...(body.grant.device === undefined ? {} : { peer: body.grant.device }),
        ...(body.grant.person === own ? {} : { person: body.grant.person }),
        operation,
      }
    case 'revoke':
      return { kind: 'revoked', by, grant: body.target, operation }
    case 'genesis':
    case 'rename':
    case 'box-key':
    case 'rotate':
    case 'contact-card':
      return undefined
  }
}
