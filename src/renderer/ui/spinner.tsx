import './button.css'

/** Something is under way. Purely visual: say what in words beside it. */
export const Spinner = () => <span className="ui-spinner" aria-hidden="true" />
