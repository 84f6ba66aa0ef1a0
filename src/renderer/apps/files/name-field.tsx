import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { stemLength } from './file-name.tsx'
import { nameProblem } from './home-path.ts'

/** Changes a name in its place: Enter keeps, Escape leaves it. Says at once what is wrong with a name. */
export function NameField(props: { name: string; taken: ReadonlySet<string>; onDone: (name: string | undefined) => void }) {
  const [name, setName] = useState(props.name)
  const field = useRef<HTMLInputElement>(null)
  const done = useRef(false)
  const noteId = useId()
  const problem = nameProblem(name, props.taken, props.name)

  useEffect(() => {
    field.current?.focus()
    field.current?.setSelectionRange(0, stemLength(props.name))
  }, [props.name])

  const finish = (value: string | undefined) => {
    if (done.current) return
    done.current = true
    props.onDone(value)
  }
  const handleKey = (event: KeyboardEvent) => {
    event.stopPropagation()
    if (event.key === 'Escape') finish(undefined)
    else if (event.key === 'Enter' && !problem) finish(name === props.name ? undefined : name)
  }
  return (
    <span className="files-rename">
      <input
        ref={field}
        aria-label={`New name of ${props.name}`}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? noteId : undefined}
        spellCheck={false}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={handleKey}
        onPointerDown={(event) => event.stopPropagation()}
        onDoubleClick={(event) => event.stopPropagation()}
        onBlur={() => finish(problem || name === props.name ? undefined : name)}
      />
      {problem && (
        <span id={noteId} role="alert" className="files-rename-note">
          {problem}
        </span>
      )}
    </span>
  )
}
