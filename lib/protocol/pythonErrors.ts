/*
 * Exceptions that every Python client has loaded, by module. Only these may be named: if Python finds the name in a
 * loaded module and it isn't an exception, it assumes an attack and raises SecurityError. Not listed are those that
 * would end the client (SystemExit, KeyboardInterrupt, WorkerShutdown...) and those that a single text can't build.
 */
const MODULES: Readonly<Record<string, string>> = {
  builtins: `ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError ChildProcessError
    ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Exception
    FileExistsError FileNotFoundError FloatingPointError FutureWarning IOError ImportError IndentationError IndexError
    InterruptedError IsADirectoryError KeyError LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError
    NotImplementedError OSError OverflowError PermissionError ProcessLookupError RecursionError ReferenceError ResourceWarning
    RuntimeError RuntimeWarning SyntaxError SyntaxWarning TabError TimeoutError TypeError UnboundLocalError UnicodeError
    UserWarning ValueError Warning ZeroDivisionError`,
  'billiard.exceptions': 'SoftTimeLimitExceeded Terminated TimeLimitExceeded WorkerLostError',
  'celery.exceptions': `AlreadyRegistered BackendError BackendGetMetaError BackendStoreError CeleryError ChordError Ignore
    ImproperlyConfigured IncompleteStream InvalidTaskError MaxRetriesExceededError NotConfigured NotRegistered QueueNotFound Reject
    Retry SecurityError TaskError TaskPredicate TaskRevokedError TimeoutError`,
  'kombu.exceptions': 'ContentDisallowed DecodeError EncodeError KombuError OperationalError SerializationError',
}

const TYPES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(MODULES).map(([module, types]) => [module, new Set(types.split(/\s+/))]),
)

/** JavaScript's own errors in Python. A text that can't be parsed is a SyntaxError here and a ValueError there. */
const JAVASCRIPT: Readonly<Record<string, string>> = {
  Error: 'Exception',
  RangeError: 'ValueError',
  ReferenceError: 'NameError',
  SyntaxError: 'ValueError',
  TypeError: 'TypeError',
  URIError: 'ValueError',
}

/** Returns Python's name for a built-in error class of JavaScript; undefined for any other. */
export function pythonTypeOf(javascriptType: string): string | undefined {
  return Object.hasOwn(JAVASCRIPT, javascriptType) ? JAVASCRIPT[javascriptType] : undefined
}

/** Returns the module of an exception that Python's clients have loaded under this name; built-in ones first. */
export function moduleOf(excType: string): string | undefined {
  for (const [module, types] of TYPES) if (types.has(excType)) return module
  return undefined
}

/**
 * Returns whether Python would find under this name something other than an exception, or something that ends the
 * client.
 */
export function isUnsafe(excModule: string, excType: string): boolean {
  const types = TYPES.get(excModule)
  return types !== undefined && !types.has(excType)
}
