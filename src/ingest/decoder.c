#include "ingest/decoder.h"

#include <stdlib.h>

#include "base/compress.h"
#include "base/jsonl/json_reader.h"

static const struct decoder *const DECODER[] = {&decoder_batch, &decoder_json_lines};

const struct decoder *decoder_find(uint8_t format)
{
    for (size_t i = 0; i < sizeof DECODER / sizeof DECODER[0]; i++)
        if (DECODER[i]->format == format)
            return DECODER[i];
    return NULL;
}

enum vs_err decoding_init(struct decoding *d)
{
    memset(d, 0, sizeof *d);
    enum vs_err err = compressor_new(1, &d->compressor);
    if (err == VS_OK)
        err = json_reader_new(&d->json);
    if (err != VS_OK)
        decoding_done(d);
    return err;
}

void decoding_done(struct decoding *d)
{
    compressor_free(d->compressor);
    json_reader_free(d->json);
    free(d->scratch);
    memset(d, 0, sizeof *d);
}

uint8_t *decoding_scratch(struct decoding *d, size_t size)
{
    if (size > d->scratch_size) {
        size_t grown = d->scratch_size > 0 ? d->scratch_size : 64u << 10;

        while (grown < size)
            grown *= 2;
        uint8_t *scratch = realloc(d->scratch, grown);
        if (scratch == NULL)
            return NULL;
        d->scratch = scratch;
        d->scratch_size = grown;
    }
    return d->scratch;
}
