import { useEffect, useState } from 'react'
import type { ContactList } from '../../../identity/contacts-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { errorWords } from '../../ui/error-words.ts'

export interface Contacts {
  /** Undefined until the device has answered. */
  readonly list: ContactList | undefined
  readonly error: string | undefined
}

/** Other persons, as the device knows them; the last answer stays when the connection goes. */
export function useContacts(): Contacts {
  const client = useClient()
  const [contacts, setContacts] = useState<Contacts>({ list: undefined, error: undefined })
  useEffect(() => {
    if (!client) return
    let isOver = false
    const listening = client.onDidChangeContacts((list) => setContacts({ list, error: undefined }))
    client.listContacts({}).then(
      (list) => isOver || setContacts({ list, error: undefined }),
      (failure: unknown) => isOver || setContacts(({ list }) => ({ list, error: errorWords(failure) })),
    )
    return () => {
      isOver = true
      listening.dispose()
    }
  }, [client])
  return contacts
}
