/* VS_MUST_USE marks a function whose result may not be ignored: an expected failure comes back as a code, and a code
 * that nobody reads is a failure that nobody handled. */
#ifndef CORE_MUST_USE_H
#define CORE_MUST_USE_H

#define VS_MUST_USE __attribute__((warn_unused_result))

#endif
