-- name: insert_question
-- Stores a question with its outcome.
INSERT INTO atlas.questions (id, organization_id, user_id, thread_id, prompt, table_hint, engine, status, sql, state,
                             response, rows_returned, seconds, confidence)
VALUES (%(id)s, %(organization)s, %(user)s, %(thread)s, %(prompt)s, %(table_hint)s, %(engine)s, %(status)s, %(sql)s,
        %(state)s, %(response)s, %(rows_returned)s, %(seconds)s, %(confidence)s)

-- name: turns
-- Lists the last answered questions of a user's own thread, newest first.
SELECT prompt, sql, state FROM atlas.questions
WHERE user_id = %(user)s AND thread_id = %(thread)s AND status = 'answered' AND sql IS NOT NULL
ORDER BY created_at DESC, id LIMIT %(limit)s

-- name: find_questions
-- Lists a user's own questions, newest first.
SELECT id, thread_id, prompt, table_hint, engine, status, sql, response, rows_returned, seconds, confidence, rating,
       rating_comment, corrected_sql, created_at
FROM atlas.questions
WHERE user_id = %(user)s AND (%(id)s::uuid IS NULL OR id = %(id)s)
  AND (%(thread)s::text IS NULL OR thread_id = %(thread)s)
ORDER BY created_at DESC, id LIMIT %(limit)s OFFSET %(offset)s

-- name: count_questions
-- Counts the rows of `find_questions` without a limit.
SELECT count(*) FROM atlas.questions
WHERE user_id = %(user)s AND (%(thread)s::text IS NULL OR thread_id = %(thread)s)

-- name: rate_question
-- Stores a user's rating of one of the user's own questions.
UPDATE atlas.questions SET rating = %(rating)s, rating_comment = %(comment)s, corrected_sql = %(corrected_sql)s
WHERE id = %(id)s AND user_id = %(user)s

-- name: suggest
-- Stores the suggestion of a rated question. A second rating replaces the suggestion, as a question has one at most.
INSERT INTO atlas.verified_questions (organization_id, question, normalized, sql, tables, dataset_ids, source, status,
                                      question_id, created_by)
VALUES (%(organization)s, %(question)s, %(normalized)s, %(sql)s, %(tables)s, %(datasets)s, 'rating', 'suggested',
        %(rated)s, %(user)s)
ON CONFLICT (question_id) WHERE status = 'suggested'
DO UPDATE SET sql = excluded.sql, tables = excluded.tables, dataset_ids = excluded.dataset_ids,
              updated_at = clock_timestamp()
RETURNING id

-- name: withdraw
-- Removes the suggestion of a rating, unless a person has changed or accepted the suggestion.
DELETE FROM atlas.verified_questions WHERE question_id = %(rated)s AND status = 'suggested'

-- fragment: listed(verified)
-- Verified questions with a status that a user may see: the user's own, and those on datasets that the user may read.
$verified.organization_id = %(organization)s AND (%(status)s::text IS NULL OR $verified.status = %(status)s)
  AND ($verified.created_by = %(user)s OR NOT EXISTS (
        SELECT 1 FROM unnest($verified.dataset_ids) AS wanted (id) WHERE NOT EXISTS (
            SELECT 1 FROM atlas.datasets d WHERE d.id = wanted.id AND /* include: accounts/dataset_access.readable_one(%(user)s, d) */)))

-- name: find_verified
-- Lists a page of the verified questions that a user may see, latest change first.
SELECT v.id, v.question, v.normalized, v.sql, v.tables, v.dataset_ids, v.source, v.status, u.name, v.created_at,
       v.updated_at
FROM atlas.verified_questions v LEFT JOIN atlas.users u ON u.id = v.created_by
WHERE /* include: questions/questions.listed(v) */ AND (%(id)s::uuid IS NULL OR v.id = %(id)s)
  AND (%(normalized)s::text IS NULL
       OR (md5(v.normalized) = md5(%(normalized)s) AND v.normalized = %(normalized)s))
ORDER BY v.updated_at DESC, v.id LIMIT %(limit)s OFFSET %(offset)s

-- name: count_verified
-- Counts the rows of `find_verified` without a limit.
SELECT count(*)
FROM atlas.verified_questions v
WHERE /* include: questions/questions.listed(v) */

-- name: insert_verified
-- Stores a verified question.
INSERT INTO atlas.verified_questions (organization_id, question, normalized, sql, tables, dataset_ids, source, status,
                                      created_by)
VALUES (%(organization)s, %(question)s, %(normalized)s, %(sql)s, %(tables)s, %(datasets)s, 'user', %(status)s, %(user)s)
RETURNING id

-- name: update_verified
-- Changes a verified question. The link to a rating is removed, so that a later rating neither replaces nor removes
-- the person's change.
UPDATE atlas.verified_questions
SET question = %(question)s, normalized = %(normalized)s, sql = %(sql)s, tables = %(tables)s,
    dataset_ids = %(datasets)s, status = %(status)s, question_id = NULL, updated_at = clock_timestamp()
WHERE id = %(id)s AND organization_id = %(organization)s RETURNING id

-- name: delete_verified
-- Deletes a verified question of the organization.
DELETE FROM atlas.verified_questions WHERE id = %(id)s AND organization_id = %(organization)s

-- fragment: visible_term(term, dataset)
-- Terms of an organization that a user may see. A term on a dataset needs the right to read the dataset.
$term.organization_id = %(organization)s
  AND ($term.dataset_id IS NULL OR /* include: accounts/dataset_access.readable_one(%(user)s, $dataset) */)

-- name: find_terms
-- Lists a page of the terms that a user may see, by name.
SELECT g.id, g.term, g.meaning, g.table_name, g.dataset_id, u.name, g.created_at, g.updated_at
FROM atlas.glossary g LEFT JOIN atlas.users u ON u.id = g.created_by
LEFT JOIN atlas.datasets d ON d.id = g.dataset_id
WHERE /* include: questions/questions.visible_term(g, d) */ AND (%(id)s::uuid IS NULL OR g.id = %(id)s)
ORDER BY lower(g.term), g.id LIMIT %(limit)s OFFSET %(offset)s

-- name: count_terms
-- Counts the rows of `find_terms` without a limit.
SELECT count(*)
FROM atlas.glossary g LEFT JOIN atlas.datasets d ON d.id = g.dataset_id
WHERE /* include: questions/questions.visible_term(g, d) */

-- name: insert_term
-- Stores a new term.
INSERT INTO atlas.glossary (organization_id, term, meaning, table_name, dataset_id, created_by)
VALUES (%(organization)s, %(term)s, %(meaning)s, %(table_name)s, %(dataset)s, %(user)s) RETURNING id

-- name: update_term
-- Replaces a term of the organization.
UPDATE atlas.glossary SET term = %(term)s, meaning = %(meaning)s, table_name = %(table_name)s, dataset_id = %(dataset)s,
       updated_at = clock_timestamp()
WHERE id = %(id)s AND organization_id = %(organization)s RETURNING id

-- name: delete_term
-- Deletes a term of the organization.
DELETE FROM atlas.glossary WHERE id = %(id)s AND organization_id = %(organization)s
