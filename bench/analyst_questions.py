"""Tables of eight kinds and first questions of an analyst with the right SQL, written before the engine was tuned to them.

An empty SQL: the question must be refused. Every second question is kept for testing.
"""

from __future__ import annotations

DATABASES = {
    "houses": """CREATE TABLE houses(id bigint, city text, state text, house_type text, bedrooms bigint, bathrooms double precision, sqft_living bigint, lot_sqft bigint, year_built bigint, list_price_usd double precision, sold_price double precision, sold_on date, has_pool boolean, condition text, heating text);
INSERT INTO houses SELECT i, (ARRAY['Austin','Denver','Seattle','Portland','Boise','Dallas'])[1+(i*7)%6], (ARRAY['TX','CO','WA','OR','ID','TX'])[1+(i*7)%6], (ARRAY['condo','townhouse','single family','duplex'])[1+(i*i)%4], 1+(i*3)%6, 1+((i*5)%7)/2.0, 600+(i*137)%4200, 1000+(i*911)%20000, 1920+(i*31)%105, 120000+(i*7919)%900000, CASE WHEN i%5=0 THEN NULL ELSE 115000+(i*7907)%880000 END, CASE WHEN i%5=0 THEN NULL ELSE date '2023-01-01'+((i*13)%1000)::int END, i%3=0, (ARRAY['poor','fair','good','excellent'])[1+(i*11)%4], CASE WHEN i%9=0 THEN NULL ELSE (ARRAY['gas','electric','oil'])[1+i%3] END FROM generate_series(1,300) i;""",
    "library": """CREATE TABLE members(member_id bigint, name text, branch text, joined_on date, age bigint, membership text);
CREATE TABLE books(book_id bigint, title text, author text, genre text, pages bigint, published_year bigint, language text);
CREATE TABLE loans(loan_id bigint, member_id bigint, book_id bigint, loaned_on date, due_on date, returned_on date, fine double precision);
INSERT INTO members SELECT i, 'Member '||chr(64+1+i%26)||i, (ARRAY['Central','North','Riverside'])[1+i%3], date '2019-01-01'+(i*17)%1500, 12+(i*7)%70, (ARRAY['basic','premium','student'])[1+(i*5)%3] FROM generate_series(1,60) i;
INSERT INTO books SELECT i, 'Title '||i, (ARRAY['Jane Austen','Haruki Murakami','Toni Morrison','Italo Calvino','Ursula Le Guin'])[1+(i*3)%5], (ARRAY['fiction','history','science','poetry'])[1+(i*7)%4], 90+(i*53)%800, 1950+(i*11)%74, (ARRAY['English','Japanese','Italian'])[1+i%3] FROM generate_series(1,50) i;
INSERT INTO loans SELECT i, 1+(i*i*7)%55, 1+(i*13+i/7)%44, date '2024-01-01'+(i*3)%600, date '2024-01-22'+(i*3)%600, CASE WHEN i%6=0 THEN NULL ELSE date '2024-01-10'+(i*3)%600+(i%25) END, CASE WHEN i%4=0 THEN (i%9)*0.5 ELSE 0 END FROM generate_series(1,240) i;""",
    "hospital": """CREATE TABLE doctors(doctor_id bigint, full_name text, specialty text, years_experience bigint);
CREATE TABLE patients(patient_id bigint, full_name text, sex text, birth_date date, city text, insurer text);
CREATE TABLE visits(visit_id bigint, patient_id bigint, doctor_id bigint, visit_date date, diagnosis text, length_of_stay_days bigint, total_cost double precision, emergency boolean);
INSERT INTO doctors SELECT i, 'Dr '||(ARRAY['Ames','Bose','Cruz','Diaz','Egan','Funk','Gold','Hart','Ito','Jung'])[i], (ARRAY['cardiology','oncology','pediatrics','neurology'])[1+(i*3)%4], 2+(i*7)%30 FROM generate_series(1,10) i;
INSERT INTO patients SELECT i, 'Patient '||i, (ARRAY['F','M'])[1+i%2], date '1940-01-01'+(i*401)%28000, (ARRAY['Leeds','York','Hull'])[1+(i*5)%3], (ARRAY['Bupa','Aviva','none'])[1+(i*7)%3] FROM generate_series(1,80) i;
INSERT INTO visits SELECT i, 1+(i*i*3)%72, 1+(i*7)%9, date '2023-01-01'+(i*11)%700, (ARRAY['flu','fracture','asthma','migraine','diabetes'])[1+(i*i)%5], (i*3)%14, 80+(i*733)%9000, i%4=0 FROM generate_series(1,260) i;""",
    "taxi": """CREATE TABLE taxi_trips(trip_id bigint, pickup_datetime timestamp, dropoff_datetime timestamp, passenger_count bigint, trip_distance_miles double precision, pickup_borough text, dropoff_borough text, fare_amount double precision, tip_amount double precision, tolls double precision, total_amount double precision, payment_type text, vendor text);
INSERT INTO taxi_trips SELECT i, timestamp '2024-03-01'+ (i*97)*interval '7 minutes', timestamp '2024-03-01'+ (i*97)*interval '7 minutes'+(5+i%50)*interval '1 minute', 1+(i*7)%6, round((0.5+((i*37)%250)/10.0)::numeric,1)::float8, (ARRAY['Manhattan','Brooklyn','Queens','Bronx'])[1+(i*i)%4], (ARRAY['Manhattan','Brooklyn','Queens','Bronx','Staten Island'])[1+(i*3)%5], round((3+((i*71)%600)/10.0)::numeric,2)::float8, CASE WHEN i%3=0 THEN 0 ELSE round((((i*13)%120)/10.0)::numeric,2)::float8 END, CASE WHEN i%10=0 THEN 6.5 ELSE 0 END, round((5+((i*83)%700)/10.0)::numeric,2)::float8, (ARRAY['cash','credit card','dispute'])[1+(i*5)%3], (ARRAY['CMT','VTS'])[1+i%2] FROM generate_series(1,400) i;""",
    "recipes": """CREATE TABLE recipes(recipe_name text, cuisine text, course text, prep_time_min bigint, cook_time_min bigint, servings bigint, calories bigint, rating double precision, num_reviews bigint, is_vegetarian boolean, difficulty text, author text, published date);
INSERT INTO recipes SELECT 'Dish '||i, (ARRAY['Italian','Mexican','Indian','French','Thai','Japanese'])[1+(i*5)%6], (ARRAY['main','dessert','starter','side'])[1+(i*i)%4], 5+(i*7)%60, (i*11)%150, 1+(i*3)%8, 90+(i*67)%900, round((2+((i*17)%30)/10.0)::numeric,1)::float8, (i*43)%900, i%3=0, (ARRAY['easy','medium','hard'])[1+(i*7)%3], (ARRAY['Nina','Otto','Pia','Quinn'])[1+(i*3)%4], date '2020-01-01'+(i*29)%1800 FROM generate_series(1,150) i;""",
    "football": """CREATE TABLE matches(match_date date, season text, home_team text, away_team text, home_goals bigint, away_goals bigint, attendance bigint, referee text, home_shots bigint, away_shots bigint, home_yellow_cards bigint, stadium text);
INSERT INTO matches SELECT date '2022-08-06'+(i*5)%620, CASE WHEN (i*5)%620<310 THEN '2022-23' ELSE '2023-24' END, (ARRAY['Arsenal','Chelsea','Everton','Fulham','Liverpool','Leeds United'])[1+i%6], (ARRAY['Arsenal','Chelsea','Everton','Fulham','Liverpool','Leeds United'])[1+(i+1+(i/6)%5)%6], (i*7)%5, (i*3+1)%4, 18000+(i*937)%42000, (ARRAY['M Oliver','A Taylor','P Tierney'])[1+(i*i)%3], 3+(i*11)%20, 2+(i*13)%18, (i*5)%6, (ARRAY['Emirates','Stamford Bridge','Goodison Park','Craven Cottage','Anfield','Elland Road'])[1+i%6] FROM generate_series(1,180) i;""",
    "energy": """CREATE TABLE meters(meter_id bigint, customer_name text, city text, tariff text, installed_on date);
CREATE TABLE readings(reading_id bigint, meter_id bigint, read_at timestamp, kwh double precision, peak_kw double precision, voltage double precision, status text);
INSERT INTO meters SELECT i, 'Customer '||i, (ARRAY['Lyon','Nice','Lille','Paris'])[1+(i*3)%4], (ARRAY['green','standard','night'])[1+(i*5)%3], date '2018-01-01'+(i*97)%2000 FROM generate_series(1,30) i;
INSERT INTO readings SELECT i, 1+(i*i*5)%28, timestamp '2025-01-01'+i*interval '5 hours', round((1+((i*31)%400)/10.0)::numeric,1)::float8, round((0.5+((i*17)%90)/10.0)::numeric,1)::float8, 215+(i*7)%30, (ARRAY['ok','estimated','faulty','ok'])[1+(i*i)%4] FROM generate_series(1,500) i;""",
    "jobs": """CREATE TABLE job_offers(offer_id bigint, job_title text, company text, country text, city text, salary_min bigint, salary_max bigint, currency text, remote boolean, seniority text, skills text, posted_date date, applicants bigint, companysize bigint);
INSERT INTO job_offers SELECT i, (ARRAY['Data Engineer','Nurse','Accountant','Backend Developer','Teacher','Product Manager'])[1+(i*5)%6], (ARRAY['Acme','Globex','Initech','Umbrella','Hooli'])[1+(i*7)%5], (ARRAY['Germany','France','Spain','Poland'])[1+(i*i)%4], (ARRAY['Berlin','Paris','Madrid','Warsaw'])[1+(i*i)%4], 25000+(i*613)%60000, 40000+(i*613)%60000+(i*97)%30000, 'EUR', i%3=1, (ARRAY['junior','senior','lead'])[1+(i*11)%3], (ARRAY['python, sql','care','excel','java','teaching','roadmaps'])[1+(i*5)%6], date '2025-01-01'+(i*7)%300, (i*37)%240, 10+(i*777)%9000 FROM generate_series(1,220) i;""",
}
# Tuples of database, half, question and SQL.
QUESTIONS: list[tuple[str, str, str, str]] = []


def add(database: str, lines: str) -> None:
    """Adds the questions of a database, a line each: question ## SQL."""
    for number, line in enumerate(lines.strip().split("\n")):
        question, gold = line.split(" ## ")
        half = "dev" if number % 2 == 0 else "test"
        QUESTIONS.append((database, half, question.strip(), "" if gold.strip() == "REFUSE" else gold.strip()))


add(
    "houses",
    """
How many houses are there in each city? ## SELECT city,count(*) FROM houses GROUP BY city
What is the average sold price by house type? ## SELECT house_type,avg(sold_price) FROM houses GROUP BY house_type
Show the 5 most expensive houses in Seattle ## SELECT id,list_price_usd FROM houses WHERE city='Seattle' ORDER BY list_price_usd DESC LIMIT 5
Which city has the highest average list price? ## SELECT city FROM houses GROUP BY city ORDER BY avg(list_price_usd) DESC LIMIT 1
How many condos have a pool? ## SELECT count(*) FROM houses WHERE house_type='condo' AND has_pool
What is the median living area of houses built after 2000? ## SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sqft_living) FROM houses WHERE year_built>2000
What share of houses in Denver have a pool? ## SELECT 100.0*count(*) FILTER (WHERE has_pool)/count(*) FROM houses WHERE city='Denver'
Which cities have more than 40 houses? ## SELECT city FROM houses GROUP BY city HAVING count(*)>40
What is the oldest house in Texas? ## SELECT id FROM houses WHERE state='TX' AND year_built=(SELECT min(year_built) FROM houses WHERE state='TX')
How many different heating types are there? ## SELECT count(DISTINCT heating) FROM houses
Average difference between list price and sold price per state ## SELECT state,avg(list_price_usd-sold_price) FROM houses GROUP BY state
How many houses with at least 3 bedrooms and 2 bathrooms were sold in 2024? ## SELECT count(*) FROM houses WHERE bedrooms>=3 AND bathrooms>=2 AND sold_on>='2024-01-01' AND sold_on<'2025-01-01'
How many houses have not been sold yet? ## SELECT count(*) FROM houses WHERE sold_on IS NULL
Which houses are larger than the average house? ## SELECT id FROM houses WHERE sqft_living>(SELECT avg(sqft_living) FROM houses)
Will house prices in Austin rise next year? ## REFUSE
What were the total sales by month in 2024? ## SELECT date_trunc('month',sold_on)::date,sum(sold_price) FROM houses WHERE sold_on>='2024-01-01' AND sold_on<'2025-01-01' GROUP BY 1
""",
)
add(
    "library",
    """
How many books are there per genre? ## SELECT genre,count(*) FROM books GROUP BY genre
Which author has written the most books? ## SELECT author FROM books GROUP BY author ORDER BY count(*) DESC LIMIT 1
List the titles of the 3 longest books ## SELECT title FROM books ORDER BY pages DESC LIMIT 3
Who borrowed the most books? ## SELECT m.name FROM loans l JOIN members m USING(member_id) GROUP BY m.member_id,m.name ORDER BY count(*) DESC LIMIT 1
Which members have never borrowed a book? ## SELECT name FROM members WHERE member_id NOT IN (SELECT member_id FROM loans)
How many loans are not returned? ## SELECT count(*) FROM loans WHERE returned_on IS NULL
Names of members with more than 5 loans ## SELECT m.name FROM loans l JOIN members m USING(member_id) GROUP BY m.member_id,m.name HAVING count(*)>5
What is the total fine per branch? ## SELECT branch,sum(fine) FROM loans JOIN members USING(member_id) GROUP BY branch
How many loans of poetry books were there? ## SELECT count(*) FROM loans JOIN books USING(book_id) WHERE genre='poetry'
What is the average number of pages of Japanese books? ## SELECT avg(pages) FROM books WHERE language='Japanese'
How many premium members are older than 40? ## SELECT count(*) FROM members WHERE membership='premium' AND age>40
Which books were never loaned? ## SELECT title FROM books WHERE book_id NOT IN (SELECT book_id FROM loans)
Average age of members for each branch and membership ## SELECT branch,membership,avg(age) FROM members GROUP BY 1,2
Which genre is loaned most often? ## SELECT genre FROM loans JOIN books USING(book_id) GROUP BY genre ORDER BY count(*) DESC LIMIT 1
Titles of books borrowed by students ## SELECT DISTINCT title FROM loans JOIN books USING(book_id) JOIN members USING(member_id) WHERE membership='student'
""",
)
add(
    "hospital",
    """
How many patients are there in each city? ## SELECT city,count(*) FROM patients GROUP BY city
Which doctor had the most visits? ## SELECT full_name FROM visits JOIN doctors USING(doctor_id) GROUP BY doctor_id,full_name ORDER BY count(*) DESC LIMIT 1
What is the average cost of a visit by diagnosis? ## SELECT diagnosis,avg(total_cost) FROM visits GROUP BY diagnosis
How many female patients are insured by Bupa? ## SELECT count(*) FROM patients WHERE sex='F' AND insurer='Bupa'
Which patients never visited a cardiology doctor? ## SELECT full_name FROM patients WHERE patient_id NOT IN (SELECT patient_id FROM visits JOIN doctors USING(doctor_id) WHERE specialty='cardiology')
How many emergency visits were there in 2023? ## SELECT count(*) FROM visits WHERE emergency AND visit_date>='2023-01-01' AND visit_date<'2024-01-01'
What is the longest stay for asthma? ## SELECT max(length_of_stay_days) FROM visits WHERE diagnosis='asthma'
List doctors with less than 10 years of experience ## SELECT full_name FROM doctors WHERE years_experience<10
What percentage of visits were emergencies? ## SELECT 100.0*count(*) FILTER (WHERE emergency)/count(*) FROM visits
Total cost per specialty ## SELECT specialty,sum(total_cost) FROM visits JOIN doctors USING(doctor_id) GROUP BY specialty
Which diagnoses have an average cost above 4500? ## SELECT diagnosis FROM visits GROUP BY diagnosis HAVING avg(total_cost)>4500
How many patients from York had a visit for flu? ## SELECT count(*) FROM patients WHERE city='York' AND patient_id IN (SELECT patient_id FROM visits WHERE diagnosis='flu')
Which specialty has the fewest doctors? ## SELECT specialty FROM doctors GROUP BY specialty ORDER BY count(*) LIMIT 1
Patients that visited more than 4 times ## SELECT full_name FROM visits JOIN patients USING(patient_id) GROUP BY patient_id,full_name HAVING count(*)>4
Should we hire more doctors? ## REFUSE
""",
)
add(
    "taxi",
    """
What is the average fare per pickup borough? ## SELECT pickup_borough,avg(fare_amount) FROM taxi_trips GROUP BY 1
How many trips were paid in cash? ## SELECT count(*) FROM taxi_trips WHERE payment_type='cash'
Which payment type has the highest average tip? ## SELECT payment_type FROM taxi_trips GROUP BY 1 ORDER BY avg(tip_amount) DESC LIMIT 1
What is the longest trip? ## SELECT trip_id FROM taxi_trips WHERE trip_distance_miles=(SELECT max(trip_distance_miles) FROM taxi_trips)
How many trips per day of the week? ## SELECT extract(isodow from pickup_datetime),count(*) FROM taxi_trips GROUP BY 1
Total tips by vendor ## SELECT vendor,sum(tip_amount) FROM taxi_trips GROUP BY vendor
How many trips went from Manhattan to Queens? ## SELECT count(*) FROM taxi_trips WHERE pickup_borough='Manhattan' AND dropoff_borough='Queens'
At what hour are most trips picked up? ## SELECT extract(hour from pickup_datetime) FROM taxi_trips GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
What fraction of trips had no tip? ## SELECT 1.0*count(*) FILTER (WHERE tip_amount=0)/count(*) FROM taxi_trips
Average trip distance for trips with more than 4 passengers ## SELECT avg(trip_distance_miles) FROM taxi_trips WHERE passenger_count>4
Which 3 dropoff boroughs have the highest total fare? ## SELECT dropoff_borough FROM taxi_trips GROUP BY 1 ORDER BY sum(fare_amount) DESC LIMIT 3
How many trips longer than 20 miles cost less than 15 dollars? ## SELECT count(*) FROM taxi_trips WHERE trip_distance_miles>20 AND total_amount<15
How many passengers were carried in total? ## SELECT sum(passenger_count) FROM taxi_trips
Show the minimum, average and maximum fare by vendor ## SELECT vendor,min(fare_amount),avg(fare_amount),max(fare_amount) FROM taxi_trips GROUP BY vendor
What will the average fare be next month? ## REFUSE
""",
)
add(
    "recipes",
    """
How many recipes are there per cuisine? ## SELECT cuisine,count(*) FROM recipes GROUP BY cuisine
What is the highest-rated dessert? ## SELECT recipe_name FROM recipes WHERE course='dessert' AND rating=(SELECT max(rating) FROM recipes WHERE course='dessert')
How many vegetarian recipes are there? ## SELECT count(*) FROM recipes WHERE is_vegetarian
Average calories of Italian main courses ## SELECT avg(calories) FROM recipes WHERE cuisine='Italian' AND course='main'
Which cuisine has the most easy recipes? ## SELECT cuisine FROM recipes WHERE difficulty='easy' GROUP BY cuisine ORDER BY count(*) DESC LIMIT 1
Top 5 recipes by number of reviews ## SELECT recipe_name FROM recipes ORDER BY num_reviews DESC LIMIT 5
Which authors published more than 35 recipes? ## SELECT author FROM recipes GROUP BY author HAVING count(*)>35
Recipes that take less than 10 minutes to prepare ## SELECT recipe_name FROM recipes WHERE prep_time_min<10
How many cuisines are there? ## SELECT count(DISTINCT cuisine) FROM recipes
What is the average rating of hard recipes compared to easy recipes? ## SELECT difficulty,avg(rating) FROM recipes WHERE difficulty IN ('hard','easy') GROUP BY difficulty
Which recipes have above average calories and a rating of at least 4.5? ## SELECT recipe_name FROM recipes WHERE calories>(SELECT avg(calories) FROM recipes) AND rating>=4.5
What percentage of Indian recipes are vegetarian? ## SELECT 100.0*count(*) FILTER (WHERE is_vegetarian)/count(*) FROM recipes WHERE cuisine='Indian'
How many recipes were published in 2022? ## SELECT count(*) FROM recipes WHERE published>='2022-01-01' AND published<'2023-01-01'
List the name and cook time of Thai recipes sorted by rating ## SELECT recipe_name,cook_time_min FROM recipes WHERE cuisine='Thai' ORDER BY rating
Which recipe should I cook tonight? ## REFUSE
""",
)
add(
    "football",
    """
How many matches did Arsenal play at home? ## SELECT count(*) FROM matches WHERE home_team='Arsenal'
What was the highest attendance? ## SELECT max(attendance) FROM matches
Which home team scored the most goals? ## SELECT home_team FROM matches GROUP BY home_team ORDER BY sum(home_goals) DESC LIMIT 1
Average attendance per stadium ## SELECT stadium,avg(attendance) FROM matches GROUP BY stadium
How many matches ended in a draw? ## SELECT count(*) FROM matches WHERE home_goals=away_goals
Total home goals by season ## SELECT season,sum(home_goals) FROM matches GROUP BY season
Which referee gave the most home yellow cards? ## SELECT referee FROM matches GROUP BY referee ORDER BY sum(home_yellow_cards) DESC LIMIT 1
How many matches had more than 50000 spectators? ## SELECT count(*) FROM matches WHERE attendance>50000
Show the 10 matches with the lowest attendance ## SELECT match_date,home_team,away_team FROM matches ORDER BY attendance LIMIT 10
How many teams are there? ## SELECT count(DISTINCT home_team) FROM matches
In how many matches did the home team win? ## SELECT count(*) FROM matches WHERE home_goals>away_goals
Number of matches per referee in the 2023-24 season ## SELECT referee,count(*) FROM matches WHERE season='2023-24' GROUP BY referee
Which stadiums have an average attendance over 39000? ## SELECT stadium FROM matches GROUP BY stadium HAVING avg(attendance)>39000
When did Chelsea play Everton at home? ## SELECT match_date FROM matches WHERE home_team='Chelsea' AND away_team='Everton'
Who will win the league? ## REFUSE
""",
)
add(
    "energy",
    """
What is the total consumption in kWh per city? ## SELECT city,sum(kwh) FROM readings JOIN meters USING(meter_id) GROUP BY city
How many meters are on the green tariff? ## SELECT count(*) FROM meters WHERE tariff='green'
How many readings are faulty? ## SELECT count(*) FROM readings WHERE status='faulty'
Which customer used the most energy? ## SELECT customer_name FROM readings JOIN meters USING(meter_id) GROUP BY meter_id,customer_name ORDER BY sum(kwh) DESC LIMIT 1
Which meters have no readings? ## SELECT meter_id FROM meters WHERE meter_id NOT IN (SELECT meter_id FROM readings)
What is the maximum peak kW for each tariff? ## SELECT tariff,max(peak_kw) FROM readings JOIN meters USING(meter_id) GROUP BY tariff
Average voltage of estimated readings ## SELECT avg(voltage) FROM readings WHERE status='estimated'
How many meters were installed before 2020? ## SELECT count(*) FROM meters WHERE installed_on<'2020-01-01'
Customers in Paris with a faulty reading ## SELECT customer_name FROM meters WHERE city='Paris' AND meter_id IN (SELECT meter_id FROM readings WHERE status='faulty')
What percentage of readings are estimated? ## SELECT 100.0*count(*) FILTER (WHERE status='estimated')/count(*) FROM readings
kWh by month ## SELECT date_trunc('month',read_at)::date,sum(kwh) FROM readings GROUP BY 1
Which city has the most meters? ## SELECT city FROM meters GROUP BY city ORDER BY count(*) DESC LIMIT 1
How many meters are there per city and tariff? ## SELECT city,tariff,count(*) FROM meters GROUP BY 1,2
Meters with at least 20 readings ## SELECT meter_id FROM readings GROUP BY meter_id HAVING count(*)>=20
What is the cheapest tariff? ## REFUSE
""",
)
add(
    "jobs",
    """
How many job offers are there per country? ## SELECT country,count(*) FROM job_offers GROUP BY country
What is the average maximum salary by seniority? ## SELECT seniority,avg(salary_max) FROM job_offers GROUP BY seniority
How many remote jobs are there in Germany? ## SELECT count(*) FROM job_offers WHERE remote AND country='Germany'
Which company posted the most offers? ## SELECT company FROM job_offers GROUP BY company ORDER BY count(*) DESC LIMIT 1
List the 10 best paid jobs in Spain ## SELECT offer_id FROM job_offers WHERE country='Spain' ORDER BY salary_max DESC LIMIT 10
How many companies are hiring? ## SELECT count(DISTINCT company) FROM job_offers
How many nurses are wanted in France? ## SELECT count(*) FROM job_offers WHERE job_title='Nurse' AND country='France'
Average number of applicants per job title ## SELECT job_title,avg(applicants) FROM job_offers GROUP BY job_title
Which job titles have an average minimum salary of more than 55000? ## SELECT job_title FROM job_offers GROUP BY job_title HAVING avg(salary_min)>55000
What share of senior jobs is remote? ## SELECT 100.0*count(*) FILTER (WHERE remote)/count(*) FROM job_offers WHERE seniority='senior'
Offers from companies with more than 5000 employees ## SELECT offer_id FROM job_offers WHERE companysize>5000
What is the salary range for accountants? ## SELECT min(salary_min),max(salary_max) FROM job_offers WHERE job_title='Accountant'
How many offers mention python? ## SELECT count(*) FROM job_offers WHERE skills ILIKE '%python%'
How many offers were posted each month? ## SELECT date_trunc('month',posted_date)::date,count(*) FROM job_offers GROUP BY 1
Which offer got the most applicants? ## SELECT offer_id FROM job_offers WHERE applicants=(SELECT max(applicants) FROM job_offers)
""",
)
